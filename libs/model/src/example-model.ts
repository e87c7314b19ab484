/** A small model that passes: a logistic regression over a batch of rows. For specs and benchmarks. */
import { floatTensor } from './float-tensor.js'
import type { Model } from './model.js'

/** `scores = sigmoid(rows × weights + bias)`. */
export function logisticModel(weights: readonly number[], bias: number): Model {
  const node = (operator: string, inputs: readonly string[], output: string) => ({
    ...{ name: output, domain: '', operator, inputs, outputs: [output], attributes: [] },
  })
  return {
    irVersion: 8,
    opsets: [{ domain: '', version: 13 }],
    graph: {
      name: 'logistic',
      nodes: [node('Gemm', ['rows', 'weights', 'bias'], 'sum'), node('Sigmoid', ['sum'], 'scores')],
      initializers: [floatTensor('weights', [weights.length, 1], weights), floatTensor('bias', [1], [bias])],
      inputs: [{ name: 'rows', type: 'float32', shape: ['n', weights.length] }],
      outputs: [{ name: 'scores', type: 'float32', shape: ['n', 1] }],
    },
  }
}
