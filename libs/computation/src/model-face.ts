/** Whether a model is the one that its contract describes. Asked by its owner before sealing, and by the enclave of what it opened. */
import type { CheckedModel, ValueInfo } from '#libs/model'
import type { ModelFace } from './scoring.js'

/** A difference between a model and its contract, with names of both and no weights. */
export interface FaceMistake {
  /** For example `input rows`. */
  readonly place: string
  readonly expected: string
  readonly seen: string
}

/** Every way in which a checked model differs from its terms; empty where it has exactly the inputs and the output that they say. */
export function faceMistakes(
  model: Pick<CheckedModel, 'inputs' | 'outputs'>,
  face: ModelFace,
): readonly FaceMistake[] {
  const mistakes: FaceMistake[] = []
  const expectValue = (what: string, named: Named, found: ValueInfo | undefined) => {
    const expected = `${named.columns} of ${named.type} for each row`
    const fits = found?.type === named.type && columnsOf(found) === named.columns
    if (!fits)
      mistakes.push({
        place: `${what} ${named.name}`,
        expected,
        seen: found === undefined ? 'none' : valueText(found),
      })
  }
  for (const input of face.inputs)
    expectValue(
      'input',
      input,
      model.inputs.find(({ name }) => name === input.name),
    )
  for (const input of model.inputs)
    if (!face.inputs.some(({ name }) => name === input.name))
      mistakes.push({ place: `input ${input.name}`, expected: 'no such input', seen: valueText(input) })
  expectValue(
    'output',
    face.output,
    model.outputs.find(({ name }) => name === face.output.name),
  )
  return mistakes
}

interface Named {
  readonly name: string
  readonly type: string
  readonly columns: number
}

/** Numbers for each row; null where the first dimension is not the rows. */
function columnsOf({ shape }: ValueInfo): number | null {
  const [rows, ...others] = shape
  return typeof rows === 'string' ? others.reduce<number>((product, size) => product * Number(size), 1) : null
}

function valueText({ type, shape }: ValueInfo): string {
  return `${type} of [${shape.map((size) => (typeof size === 'string' ? 'rows' : size)).join(', ')}]`
}
