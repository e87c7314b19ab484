/**
 * A trained model as an ONNX file: filling, scaling, one product and, of a logistic model, the logistic function. The same numbers give
 * the same bytes. It is in the subset that this project runs, of IR version 8 and opset 13.
 */
import { encodeModel, floatTensor, type Model, type ModelNode } from '#libs/model'
import type { TrainingPlan } from '#libs/training'
import { coefficientsTold, type TrainingReading } from './training-report.js'
import type { ReviewedTraining } from './training.js'

/** Name of the one input: a row of numbers for each case, one per term, NaN where a number is missing. */
export const modelInput = 'x'

/** Name of the one output. */
export function modelOutput({ algorithm }: Pick<TrainingPlan, 'algorithm'>): 'probability' | 'value' {
  return algorithm === 'logistic-regression' ? 'probability' : 'value'
}

/**
 * The file of a model. Its numbers are those of the table that stands beside it, in single precision: a column that rests on fewer than `minimumUnits` of any
 * class of units counts for nothing. Null where the training gave no model, or its intercept rests on fewer.
 */
export function modelFileOf(
  { terms }: ReviewedTraining,
  plan: Pick<TrainingPlan, 'algorithm'>,
  report: TrainingReading,
  minimumUnits: number,
): Uint8Array<ArrayBuffer> | null {
  const told = coefficientsTold(report, minimumUnits)
  if (told === null) return null
  const output = modelOutput(plan)
  const width = terms.length
  const numbers = (of: keyof (typeof told.columns)[number]): number[] => told.columns.map((one) => one[of])
  const model: Model = {
    irVersion: 8,
    opsets: [{ domain: '', version: 13 }],
    graph: {
      name: 'regression',
      nodes: [
        node('IsNaN', [modelInput], 'missing'),
        node('Where', ['missing', 'fill', modelInput], 'filled'),
        node('Sub', ['filled', 'centre'], 'centred'),
        node('Div', ['centred', 'scale'], 'scaled'),
        node('MatMul', ['scaled', 'coefficients'], 'product'),
        node('Add', ['product', 'intercept'], output === 'probability' ? 'predictor' : output),
        ...(output === 'probability' ? [node('Sigmoid', ['predictor'], output)] : []),
      ],
      initializers: [
        floatTensor('fill', [width], numbers('fill')),
        floatTensor('centre', [width], numbers('centre')),
        floatTensor('scale', [width], numbers('scale')),
        floatTensor('coefficients', [width, 1], numbers('coefficient')),
        floatTensor('intercept', [1], [told.intercept]),
      ],
      inputs: [{ name: modelInput, type: 'float32', shape: ['cases', width] }],
      outputs: [{ name: output, type: 'float32', shape: ['cases', 1] }],
    },
  }
  return encodeModel(model)
}

function node(operator: string, inputs: readonly string[], output: string): ModelNode {
  return { name: output, domain: '', operator, inputs, outputs: [output], attributes: [] }
}
