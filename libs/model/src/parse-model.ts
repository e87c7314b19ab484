/**
 * ONNX files (`ModelProto`, onnx.proto of IR version 13) read into the subset that this project knows.
 * Guards: what it returns holds nothing that it did not understand. Fields that say nothing about the computation (documentation,
 * producer, metadata, shapes of inner values) are left out, and stay out when the model is encoded again.
 * Says nothing about operators; see {@link checkModel}.
 */
import { ModelError, type ModelErrorCode } from './errors.js'
import { modelLimits } from './limits.js'
import { MessageReader } from './message-reader.js'
import type { Model, ModelGraph, ModelNode, ValueInfo } from './model.js'
import { parseAttribute } from './parse-attribute.js'
import { parseTensor, requireType } from './parse-tensor.js'
import { malformed } from './wire-reader.js'

const modelFields = {
  ...{ 1: 'ir_version', 2: 'producer_name', 3: 'producer_version', 4: 'domain', 5: 'model_version' },
  ...{
    6: 'doc_string',
    7: 'graph',
    8: 'opset_import',
    14: 'metadata_props',
    20: 'training_info',
    25: 'functions',
  },
}
const graphFields = {
  ...{
    1: 'node',
    2: 'name',
    5: 'initializer',
    10: 'doc_string',
    11: 'input',
    12: 'output',
    13: 'value_info',
  },
  ...{ 14: 'quantization_annotation', 15: 'sparse_initializer', 16: 'metadata_props' },
}
const nodeFields = {
  ...{ 1: 'input', 2: 'output', 3: 'name', 4: 'op_type', 5: 'attribute', 6: 'doc_string', 7: 'domain' },
  ...{ 8: 'overload', 9: 'metadata_props' },
}
const valueFields = { 1: 'name', 2: 'type', 3: 'doc_string', 4: 'metadata_props' }
const typeFields = {
  1: 'tensor_type',
  4: 'sequence_type',
  5: 'map_type',
  6: 'denotation',
  8: 'sparse_tensor_type',
  9: 'optional_type',
}

/**
 * Parses a model.
 * @throws ModelError with code, place and what its owner can do.
 */
export function parseModel(bytes: Uint8Array): Model {
  if (bytes.length > modelLimits.bytes)
    throw refusal(
      'MODEL_TOO_LARGE',
      'file',
      `it has ${bytes.length} bytes; at most ${modelLimits.bytes}`,
      'make the model smaller',
    )
  const reader = new MessageReader(bytes, 'model', modelFields)
  if (reader.has(25))
    throw refusal(
      'FUNCTION',
      'model',
      'it brings functions of its own',
      'inline them (onnx.inliner.inline_local_functions)',
    )
  if (reader.has(20))
    throw refusal('SUBGRAPH', 'model', 'it brings graphs for training', 'save it for inference')
  const graph = reader.findBytes(7)
  if (graph === undefined) throw malformed('model', 'it has no graph')
  return {
    irVersion: reader.smallInt(1),
    opsets: reader.allBytes(8, 16).map((opset) => {
      const each = reader.inner(opset, 'opset', { 1: 'domain', 2: 'version' })
      return { domain: standardDomain(each.text(1)), version: each.smallInt(2) }
    }),
    graph: parseGraph(reader, graph),
  }
}

function parseGraph(file: MessageReader, bytes: Uint8Array): ModelGraph {
  const reader = file.inner(bytes, 'graph', graphFields)
  if (reader.has(15))
    throw refusal('TYPE_UNSUPPORTED', 'graph', 'it has sparse initializers', 'store them as dense tensors')
  return {
    name: reader.text(2),
    nodes: reader.allBytes(1, modelLimits.nodes).map((node, index) => parseNode(reader, node, index)),
    initializers: reader
      .allBytes(5, modelLimits.tensors)
      .map((tensor, index) => parseTensor(reader, tensor, `graph › initializer ${index}`)),
    inputs: reader
      .allBytes(11, modelLimits.inputs)
      .map((value, index) => parseValue(reader, value, `graph › input ${index}`)),
    outputs: reader
      .allBytes(12, modelLimits.outputs)
      .map((value, index) => parseValue(reader, value, `graph › output ${index}`)),
  }
}

function parseNode(graph: MessageReader, bytes: Uint8Array, index: number): ModelNode {
  const reader = graph.inner(bytes, `graph › node ${index}`, nodeFields)
  const operator = reader.text(4)
  const place = `graph › node ${index} (${operator})`
  if (reader.text(8) !== '')
    throw refusal('FUNCTION', place, 'it calls an overloaded function', 'inline functions')
  return {
    ...{ name: reader.text(3), domain: standardDomain(reader.text(7)), operator },
    inputs: reader.texts(1, modelLimits.edges),
    outputs: reader.texts(2, modelLimits.edges),
    attributes: reader
      .allBytes(5, modelLimits.attributes)
      .map((attribute) => parseAttribute(reader, attribute, place)),
  }
}

function parseValue(graph: MessageReader, bytes: Uint8Array, where: string): ValueInfo {
  const reader = graph.inner(bytes, where, valueFields)
  const name = reader.text(1)
  const place = `${where} (${name})`
  const type = reader.findBytes(2)
  if (type === undefined)
    throw refusal('TYPE_UNSUPPORTED', place, 'it has no type', 'export the model with types')
  const kinds = reader.inner(type, place, typeFields)
  const tensor = kinds.findBytes(1)
  if (tensor === undefined || [4, 5, 8, 9].some((number) => kinds.has(number)))
    throw refusal(
      'TYPE_UNSUPPORTED',
      place,
      'it is not a dense tensor',
      'export without sequences and maps (zipmap=False)',
    )
  const reading = kinds.inner(tensor, place, { 1: 'elem_type', 2: 'shape' })
  const elementType = requireType(reading.smallInt(1), place)
  const shape = reading.findBytes(2)
  if (shape === undefined)
    throw refusal(
      'SHAPE_UNBOUNDED',
      place,
      'it has no shape',
      'name every dimension but the first as a number',
    )
  return { name, type: elementType, shape: parseShape(reading, shape, place) }
}

function parseShape(tensor: MessageReader, bytes: Uint8Array, place: string): (number | string)[] {
  const dimensions = tensor.inner(bytes, place, { 1: 'dim' }).allBytes(1, modelLimits.rank)
  return dimensions.map((dimension, index) => {
    const reader = tensor.inner(dimension, place, { 1: 'dim_value', 2: 'dim_param', 3: 'denotation' })
    if (reader.has(1) && reader.has(2)) throw malformed(place, 'a dimension is a number and a name at once')
    if (reader.has(1)) return reader.smallInt(1)
    // Unnamed means: as long as may be. Only the first may be, and checkModel says so of any name.
    const name = reader.text(2)
    return name === '' ? `dimension_${index}` : name
  })
}

/** `ai.onnx` is the long spelling of the empty domain. */
function standardDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

function refusal(code: ModelErrorCode, place: string, problem: string, mend: string): ModelError {
  return new ModelError(code, problem, { place, mend })
}
