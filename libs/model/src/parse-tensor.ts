/** `TensorProto`, with its values brought into one form: raw bytes in the file itself. */
import { ModelError } from './errors.js'
import { modelLimits } from './limits.js'
import type { MessageReader } from './message-reader.js'
import { elementTypes, findElementType, type ElementType, type ModelTensor } from './model.js'

const fields = {
  ...{ 1: 'dims', 2: 'data_type', 3: 'segment', 4: 'float_data', 5: 'int32_data', 6: 'string_data' },
  ...{ 7: 'int64_data', 8: 'name', 9: 'raw_data', 10: 'double_data', 11: 'uint64_data', 12: 'doc_string' },
  ...{ 13: 'external_data', 14: 'data_location', 16: 'metadata_props' },
}

/**
 * Parses a tensor that stands in another message.
 * @throws ModelError `EXTERNAL_DATA` where its values are said to be in another file, `TYPE_UNSUPPORTED`, `TENSOR_INVALID`, and
 * what {@link MessageReader} throws.
 */
export function parseTensor(within: MessageReader, bytes: Uint8Array, where: string): ModelTensor {
  const reader = within.inner(bytes, where, fields)
  const name = reader.text(8)
  const place = name === '' ? where : `${where} (${name})`
  // The runtime would read a file whose path the model chooses. Either field alone is enough to refuse.
  if (reader.has(13) || (reader.findInt(14) ?? 0n) !== 0n)
    throw new ModelError('EXTERNAL_DATA', 'its values are said to be in another file', {
      place,
      mend: 'save the model with all values inside (onnx.save_model with save_as_external_data=False)',
    })
  const type = requireType(reader.smallInt(2), place)
  const shape = reader.ints(1, modelLimits.rank).map((dimension) => requireDimension(dimension, place))
  const values = valuesOf(reader, type, place)
  const expected = shape.reduce((product, dimension) => product * dimension, elementTypes[type].bytes)
  if (values.length !== expected)
    throw invalid(
      place,
      `its shape [${shape.join(', ')}] of ${type} takes ${expected} bytes; it has ${values.length}`,
    )
  return { name, type, shape, bytes: values }
}

/** @throws ModelError `TYPE_UNSUPPORTED`. */
export function requireType(number: number, place: string): ElementType {
  const type = findElementType(number)
  if (type === undefined)
    throw new ModelError('TYPE_UNSUPPORTED', `element type ${number} of ONNX is not supported`, {
      place,
      mend: `use one of ${Object.keys(elementTypes).join(', ')}`,
    })
  return type
}

function requireDimension(dimension: bigint, place: string): number {
  if (dimension < 0n || dimension > BigInt(modelLimits.dimension))
    throw invalid(place, `a dimension is ${dimension < 0n ? 'negative' : `over ${modelLimits.dimension}`}`)
  return Number(dimension)
}

function invalid(place: string, problem: string): ModelError {
  return new ModelError('TENSOR_INVALID', problem, { place, mend: 'export the model again' })
}

const valueFields = { 4: 'float32', 5: 'int32', 7: 'int64', 9: 'raw', 10: 'float64' } as const

function valuesOf(reader: MessageReader, type: ElementType, place: string): Uint8Array {
  if (reader.has(3) || reader.has(6) || reader.has(11))
    throw invalid(place, 'it has segments, strings or uint64 values')
  const present = ([4, 5, 7, 9, 10] as const).filter((number) => reader.has(number))
  if (present.length > 1) throw invalid(place, 'its values are given in two forms')
  const [form] = present
  if (form === undefined) return new Uint8Array(0)
  if (form === 9) return boolsOnly(reader.findBytes(9) ?? new Uint8Array(0), type, place)
  // Types narrower than 32 bits stand in int32_data.
  const expected = type === 'float32' || type === 'int64' || type === 'float64' ? type : 'int32'
  if (valueFields[form] !== expected)
    throw invalid(place, `values of ${type} do not stand in ${fields[form]}`)
  if (form === 4) return reader.fixed(4, 'fixed32')
  if (form === 10) return reader.fixed(10, 'fixed64')
  return boolsOnly(packed(reader.ints(form, modelLimits.attributeValues), type, place), type, place)
}

function packed(values: readonly bigint[], type: ElementType, place: string): Uint8Array {
  const width = elementTypes[type].bytes
  const bytes = new Uint8Array(values.length * width)
  const view = new DataView(bytes.buffer)
  const bits = width * 8
  for (const [index, value] of values.entries()) {
    const fits =
      type === 'uint8' || type === 'bool' ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value)
    if (fits !== value) throw invalid(place, `a value does not fit ${type}`)
    if (width === 8) view.setBigInt64(index * 8, value, true)
    else if (width === 4) view.setInt32(index * 4, Number(value), true)
    else view.setUint8(index, Number(value) & 255)
  }
  return bytes
}

function boolsOnly(bytes: Uint8Array, type: ElementType, place: string): Uint8Array {
  if (type === 'bool' && bytes.some((byte) => byte > 1)) throw invalid(place, 'a bool is neither 0 nor 1')
  return bytes
}
