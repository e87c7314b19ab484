/**
 * Whether a model may come near a runtime.
 * Guards: no file, no domain, operator or attribute that is not on the list; one graph whose values are each made once and before use;
 * inputs and outputs of known size per row.
 * Does not guard: flaws of the runtime's operators, nor the size of inner values and the time it takes; the sandbox caps those.
 */
import { ModelError, type ModelErrorCode } from './errors.js'
import { encodeModel } from './encode-model.js'
import { modelLimits } from './limits.js'
import type { Model, ModelNode, ValueInfo } from './model.js'
import { domains, irVersions } from './operators.js'

declare const checked: unique symbol

/** A model that passed {@link checkModel}, as the bytes that it encoded itself. */
export interface CheckedModel {
  readonly [checked]: true
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  /** How often each operator is used, by `domain.operator`, for people. */
  readonly operators: ReadonlyMap<string, number>
}

/**
 * Checks a parsed model.
 * @throws ModelError with code, place and what its owner can do.
 */
export function checkModel(model: Model): CheckedModel {
  requireVersions(model)
  const { nodes, inputs, outputs } = model.graph
  for (const [index, node] of nodes.entries()) requireOperator(node, index, model)
  requireOrder(model)
  if (inputs.length === 0 || outputs.length === 0)
    throw refusal('SHAPE_UNBOUNDED', 'graph', 'it has no input or no output', 'export it with both')
  for (const value of inputs) requireBounds(value, `input ${value.name}`)
  for (const value of outputs) requireBounds(value, `output ${value.name}`)
  const bytes = encodeModel(model)
  if (bytes.length > modelLimits.bytes)
    throw refusal(
      'MODEL_TOO_LARGE',
      'model',
      `encoded it has ${bytes.length} bytes`,
      'make the model smaller',
    )
  return { bytes, inputs, outputs, operators: countOperators(nodes) } as unknown as CheckedModel
}

function requireVersions({ irVersion, opsets }: Model): void {
  if (irVersion < irVersions.minimum || irVersion > irVersions.maximum)
    throw refusal(
      'VERSION_UNSUPPORTED',
      'model',
      `IR version ${irVersion}; expected ${irVersions.minimum} to ${irVersions.maximum}`,
      'convert it (onnx.version_converter)',
    )
  const seen = new Set<string>()
  for (const { domain, version } of opsets) {
    const place = `opset ${domain === '' ? 'ai.onnx' : domain}`
    if (!Object.hasOwn(domains, domain)) throw unknownDomain(place)
    const known = domains[domain]
    if (known === undefined || version < known.minimumVersion || version > known.maximumVersion)
      throw refusal(
        'VERSION_UNSUPPORTED',
        place,
        `version ${version}; expected ${known?.minimumVersion ?? 0} to ${known?.maximumVersion ?? 0}`,
        'export it with a target opset in this range',
      )
    if (seen.has(domain))
      throw refusal('VERSION_UNSUPPORTED', place, 'it is imported twice', 'import it once')
    seen.add(domain)
  }
}

function unknownDomain(place: string): ModelError {
  return refusal(
    'DOMAIN_UNKNOWN',
    place,
    'the domain is not known',
    'use operators of ai.onnx and ai.onnx.ml only',
  )
}

function requireOperator(
  { domain, operator, attributes }: ModelNode,
  index: number,
  { opsets }: Model,
): void {
  const place = `graph › node ${index} (${operator})`
  const known = Object.hasOwn(domains, domain) ? domains[domain] : undefined
  if (known === undefined || !opsets.some((opset) => opset.domain === domain)) throw unknownDomain(place)
  const allowed = Object.hasOwn(known.operators, operator) ? known.operators[operator] : undefined
  if (allowed === undefined)
    throw refusal(
      'OPERATOR_NOT_ALLOWED',
      place,
      'the operator is not on the list',
      `express it by the operators of the list (${Object.keys(known.operators).length} of ${domain === '' ? 'ai.onnx' : domain})`,
    )
  const seen = new Set<string>()
  for (const { name, kind } of attributes) {
    const expected = Object.hasOwn(allowed, name) ? allowed[name] : undefined
    if (expected !== kind || seen.has(name))
      throw refusal(
        'ATTRIBUTE_NOT_ALLOWED',
        `${place} › attribute ${name}`,
        seen.has(name) ? 'it stands twice' : `it is ${kind}; expected ${expected ?? 'no such attribute'}`,
        'export the model for the opset that it names',
      )
    seen.add(name)
  }
}

// ONNX IR: values are in single assignment form, nodes in topological order. Cycles and unknown names end here.
function requireOrder({ graph }: Model): void {
  const made = new Set<string>()
  const make = (name: string, place: string): void => {
    if (name === '' || made.has(name))
      throw refusal(
        'NAME_INVALID',
        place,
        name === '' ? 'a value has no name' : `the value ${name} is made twice`,
        'give every value one name, and list no initializer among the inputs',
      )
    made.add(name)
  }
  for (const { name } of graph.inputs) make(name, 'graph › inputs')
  for (const { name } of graph.initializers) make(name, 'graph › initializers')
  for (const [index, { operator, inputs, outputs }] of graph.nodes.entries()) {
    const place = `graph › node ${index} (${operator})`
    for (const name of inputs) if (name !== '') requireMade(made, name, place)
    if (outputs.length === 0) throw refusal('NAME_INVALID', place, 'it makes nothing', 'remove it')
    for (const name of outputs) if (name !== '') make(name, place)
  }
  const out = new Set<string>()
  for (const { name } of graph.outputs) {
    requireMade(made, name, 'graph › outputs')
    if (out.has(name))
      throw refusal('NAME_INVALID', 'graph › outputs', `${name} comes out twice`, 'list it once')
    out.add(name)
  }
}

function requireMade(made: ReadonlySet<string>, name: string, place: string): void {
  if (!made.has(name))
    throw refusal(
      'NAME_INVALID',
      place,
      `the value ${name} is not made before`,
      'sort the nodes topologically',
    )
}

function requireBounds({ shape }: ValueInfo, place: string): void {
  let values = 1
  for (const [index, dimension] of shape.entries()) {
    if (typeof dimension === 'string' && index > 0)
      throw refusal(
        'SHAPE_UNBOUNDED',
        place,
        `dimension ${index} (${dimension}) has no bound`,
        'only the first dimension, the rows, may be open; fix the others when exporting',
      )
    if (typeof dimension === 'number') values *= dimension
  }
  if (values > modelLimits.rowValues || values === 0)
    throw refusal(
      'SHAPE_UNBOUNDED',
      place,
      `it has ${values} values; expected 1 to ${modelLimits.rowValues}`,
      'make its dimensions smaller, and none zero',
    )
}

function countOperators(nodes: readonly ModelNode[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { domain, operator } of nodes) {
    const name = domain === '' ? operator : `${domain}.${operator}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

function refusal(code: ModelErrorCode, place: string, problem: string, mend: string): ModelError {
  return new ModelError(code, problem, { place, mend })
}
