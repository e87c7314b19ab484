/**
 * The bytes of a model: the only ones that a runtime is given. A parser of the runtime's own then finds exactly what was checked,
 * whatever the file of the model's owner would have meant to it.
 */
import { littleEndianFloats } from './float-tensor.js'
import {
  attributeNumbers,
  elementTypes,
  type Attribute,
  type Model,
  type ModelNode,
  type ModelTensor,
  type ValueInfo,
} from './model.js'
import { WireWriter } from './wire-writer.js'

/** Encodes a model. The same model gives the same bytes. */
export function encodeModel({ irVersion, opsets, graph }: Model): Uint8Array<ArrayBuffer> {
  const encodedGraph = new WireWriter()
    .each(graph.nodes, (writer, node) => writer.bytes(1, encodeNode(node)))
    .text(2, graph.name)
    .each(graph.initializers, (writer, tensor) => writer.bytes(5, encodeTensor(tensor)))
    .each(graph.inputs, (writer, value) => writer.bytes(11, encodeValue(value)))
    .each(graph.outputs, (writer, value) => writer.bytes(12, encodeValue(value)))
  return new WireWriter()
    .int(1, irVersion)
    .bytes(7, encodedGraph)
    .each(opsets, (writer, { domain, version }) =>
      writer.bytes(8, new WireWriter().text(1, domain).int(2, version)),
    )
    .finish()
}

function encodeNode({ name, domain, operator, inputs, outputs, attributes }: ModelNode): WireWriter {
  return new WireWriter()
    .each(inputs, (writer, input) => writer.text(1, input))
    .each(outputs, (writer, output) => writer.text(2, output))
    .text(3, name)
    .text(4, operator)
    .each(attributes, (writer, attribute) => writer.bytes(5, encodeAttribute(attribute)))
    .text(7, domain)
}

function encodeAttribute(attribute: Attribute): WireWriter {
  const writer = new WireWriter().text(1, attribute.name)
  return writeValue(writer, attribute).int(20, attributeNumbers[attribute.kind])
}

function writeValue(writer: WireWriter, attribute: Attribute): WireWriter {
  switch (attribute.kind) {
    case 'float':
      return writer.float(2, attribute.value)
    case 'int':
      return writer.int(3, attribute.value)
    case 'string':
      return writer.text(4, attribute.value)
    case 'tensor':
      return writer.bytes(5, encodeTensor(attribute.value))
    case 'floats':
      return attribute.value.length === 0 ? writer : writer.bytes(7, littleEndianFloats(attribute.value))
    case 'ints':
      return writer.ints(8, attribute.value)
    case 'strings':
      return writer.each(attribute.value, (each, text) => each.text(9, text))
  }
}

function encodeTensor({ name, type, shape, bytes }: ModelTensor): WireWriter {
  return new WireWriter()
    .ints(1, shape.map(BigInt))
    .int(2, elementTypes[type].number)
    .text(8, name)
    .bytes(9, bytes)
}

function encodeValue({ name, type, shape }: ValueInfo): WireWriter {
  const dimensions = new WireWriter().each(shape, (writer, dimension) =>
    writer.bytes(
      1,
      typeof dimension === 'number'
        ? new WireWriter().int(1, dimension)
        : new WireWriter().text(2, dimension),
    ),
  )
  const tensor = new WireWriter().int(1, elementTypes[type].number).bytes(2, dimensions)
  return new WireWriter().text(1, name).bytes(2, new WireWriter().bytes(1, tensor))
}
