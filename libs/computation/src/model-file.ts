/**
 * A trained model as an ONNX file: filling, scaling, one product and, of a logistic model, the logistic function. The same numbers give
 * the same bytes. Format: onnx.proto of ONNX IR version 8, operators of opset 13.
 */
import type { TrainingPlan } from '#libs/training'
import { bytesField, message, numberField } from './protobuf-writer.js'
import type { ReviewedTraining } from './training.js'
import type { TrainingReading } from './training-report.js'

/** Name of the one input: a row of numbers for each case, one per term, NaN where a number is missing. */
export const modelInput = 'x'

/** Name of the one output. */
export function modelOutput({ algorithm }: Pick<TrainingPlan, 'algorithm'>): 'probability' | 'value' {
  return algorithm === 'logistic-regression' ? 'probability' : 'value'
}

/** The file of a model; null where the training gave none. */
export function modelFileOf(
  { terms }: ReviewedTraining,
  plan: TrainingPlan,
  report: TrainingReading,
): Uint8Array<ArrayBuffer> | null {
  if (report.status !== 'trained') return null
  const { columns, intercept } = report
  const output = modelOutput(plan)
  const width = terms.length
  const isLogistic = output === 'probability'
  const nodes = [
    node('IsNaN', [modelInput], 'missing'),
    node('Where', ['missing', 'fill', modelInput], 'filled'),
    node('Sub', ['filled', 'centre'], 'centred'),
    node('Div', ['centred', 'scale'], 'scaled'),
    node('MatMul', ['scaled', 'coefficients'], 'product'),
    node('Add', ['product', 'intercept'], isLogistic ? 'predictor' : output),
    ...(isLogistic ? [node('Sigmoid', ['predictor'], output)] : []),
  ]
  const graph = message(
    ...nodes.map((one) => bytesField(1, one)),
    bytesField(2, 'regression'),
    bytesField(
      5,
      tensor(
        'fill',
        [width],
        columns.map(({ fill }) => fill),
      ),
    ),
    bytesField(
      5,
      tensor(
        'centre',
        [width],
        columns.map(({ centre }) => centre),
      ),
    ),
    bytesField(
      5,
      tensor(
        'scale',
        [width],
        columns.map(({ scale }) => scale),
      ),
    ),
    bytesField(
      5,
      tensor(
        'coefficients',
        [width, 1],
        columns.map(({ coefficient }) => coefficient),
      ),
    ),
    bytesField(5, tensor('intercept', [1], [intercept])),
    bytesField(11, valueInfo(modelInput, width)),
    bytesField(12, valueInfo(output, 1)),
  )
  return message(
    numberField(1, 8),
    bytesField(2, 'sealroom'),
    bytesField(7, graph),
    bytesField(8, message(bytesField(1, ''), numberField(2, 13))),
  )
}

const float32 = 1

function node(operator: string, inputs: readonly string[], output: string): Uint8Array {
  return message(
    ...inputs.map((input) => bytesField(1, input)),
    bytesField(2, output),
    bytesField(3, output),
    bytesField(4, operator),
  )
}

function tensor(name: string, shape: readonly number[], values: readonly number[]): Uint8Array {
  const raw = new DataView(new ArrayBuffer(4 * values.length))
  values.forEach((value, i) => {
    raw.setFloat32(4 * i, value, true)
  })
  return message(
    ...shape.map((length) => numberField(1, length)),
    numberField(2, float32),
    bytesField(8, name),
    bytesField(9, new Uint8Array(raw.buffer)),
  )
}

function valueInfo(name: string, width: number): Uint8Array {
  const cases = bytesField(1, bytesField(2, 'cases'))
  const shape = message(cases, bytesField(1, numberField(1, width)))
  const type = bytesField(1, message(numberField(1, float32), bytesField(2, shape)))
  return message(bytesField(1, name), bytesField(2, type))
}
