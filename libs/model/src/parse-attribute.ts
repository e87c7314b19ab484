/** `AttributeProto`. Graphs, sparse tensors, types and references have no place in it: they are where nested data hides. */
import { ModelError } from './errors.js'
import { modelLimits } from './limits.js'
import type { MessageReader } from './message-reader.js'
import { attributeNumbers, type Attribute, type AttributeKind, type AttributeValue } from './model.js'
import { parseTensor } from './parse-tensor.js'
import { malformed } from './wire-reader.js'

const fields = {
  ...{
    1: 'name',
    2: 'f',
    3: 'i',
    4: 's',
    5: 't',
    6: 'g',
    7: 'floats',
    8: 'ints',
    9: 'strings',
    10: 'tensors',
  },
  ...{ 11: 'graphs', 13: 'doc_string', 14: 'tp', 15: 'type_protos', 20: 'type', 21: 'ref_attr_name' },
  ...{ 22: 'sparse_tensor', 23: 'sparse_tensors' },
}
const fieldOf = { float: 2, int: 3, string: 4, tensor: 5, floats: 7, ints: 8, strings: 9 } as const

/**
 * Parses an attribute of a node.
 * @throws ModelError `SUBGRAPH`, `FUNCTION`, `TYPE_UNSUPPORTED`, `MODEL_MALFORMED`, and those of {@link parseTensor}.
 */
export function parseAttribute(within: MessageReader, bytes: Uint8Array, node: string): Attribute {
  const reader = within.inner(bytes, `${node} › attribute`, fields)
  const name = reader.text(1)
  const place = `${node} › attribute ${name}`
  if (reader.has(6) || reader.has(11))
    throw new ModelError('SUBGRAPH', 'it holds a graph', {
      place,
      mend: 'export without control flow (If, Loop, Scan)',
    })
  if (reader.text(21) !== '')
    throw new ModelError('FUNCTION', 'it refers to an attribute of a function', {
      place,
      mend: 'inline functions',
    })
  if ([10, 14, 15, 22, 23].some((number) => reader.has(number)))
    throw new ModelError('TYPE_UNSUPPORTED', 'it holds sparse tensors, lists of tensors or types', {
      place,
      mend: 'use a dense tensor',
    })
  const present = (Object.keys(fieldOf) as AttributeKind[]).filter((kind) => reader.has(fieldOf[kind]))
  const kind = (Object.keys(attributeNumbers) as AttributeKind[]).find(
    (candidate) => attributeNumbers[candidate] === reader.smallInt(20),
  )
  if (kind === undefined) throw malformed(place, 'its type is missing or unknown')
  if (present.some((candidate) => candidate !== kind))
    throw malformed(place, `it says ${kind} and holds something else`)
  return { name, ...valueOf(reader, kind, place) }
}

// Of a zero, an empty text or an empty list nothing need be on the wire.
function valueOf(reader: MessageReader, kind: AttributeKind, place: string): AttributeValue {
  switch (kind) {
    case 'float':
      return { kind, value: reader.findFloat(2) ?? 0 }
    case 'int':
      return { kind, value: reader.findInt(3) ?? 0n }
    case 'string':
      return { kind, value: reader.text(4) }
    case 'tensor':
      return { kind, value: parseTensor(reader, reader.findBytes(5) ?? new Uint8Array(0), place) }
    case 'floats': {
      const bytes = reader.fixed(7, 'fixed32')
      reader.requireAtMost(bytes.length / 4, modelLimits.attributeValues, 'floats')
      // A copy, since the bytes may lie across the alignment of a typed array.
      return { kind, value: new Float32Array(bytes.slice().buffer) }
    }
    case 'ints':
      return { kind, value: reader.ints(8, modelLimits.attributeValues) }
    case 'strings':
      return { kind, value: reader.texts(9, modelLimits.attributeValues) }
  }
}
