/**
 * A model in the subset of ONNX that this project runs: one graph of nodes without subgraphs, functions, sparse or external
 * tensors. What is refused has no place in these types, so it cannot be encoded either.
 */

/** Element types by their number in `TensorProto.DataType`, with bytes per element. */
export const elementTypes = {
  float32: { number: 1, bytes: 4 },
  uint8: { number: 2, bytes: 1 },
  int8: { number: 3, bytes: 1 },
  int32: { number: 6, bytes: 4 },
  int64: { number: 7, bytes: 8 },
  bool: { number: 9, bytes: 1 },
  float64: { number: 11, bytes: 8 },
} as const

/** An element type that models may use. */
export type ElementType = keyof typeof elementTypes

/** A tensor with its values, little-endian in row-major order. */
export interface ModelTensor {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** A value that goes into the graph or comes out of it. A dimension with a name is as long as its batch. */
export interface ValueInfo {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly (number | string)[]
}

/** What an attribute may hold. */
export type AttributeValue =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: ModelTensor }
  | { readonly kind: 'floats'; readonly value: Float32Array }
  | { readonly kind: 'ints'; readonly value: readonly bigint[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }

/** A kind of attribute. */
export type AttributeKind = AttributeValue['kind']

/** A named attribute. */
export type Attribute = AttributeValue & { readonly name: string }

/** One operator applied. An empty input name is an optional input left out. */
export interface ModelNode {
  readonly name: string
  readonly domain: string
  readonly operator: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: readonly Attribute[]
}

/** The graph. */
export interface ModelGraph {
  readonly name: string
  readonly nodes: readonly ModelNode[]
  readonly initializers: readonly ModelTensor[]
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
}

/** A parsed model. Parsed says nothing about whether it may run; see {@link checkModel}. */
export interface Model {
  readonly irVersion: number
  readonly opsets: readonly { readonly domain: string; readonly version: number }[]
  readonly graph: ModelGraph
}

/** `AttributeProto.AttributeType`. */
export const attributeNumbers = {
  ...{ float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 },
} as const satisfies Record<AttributeKind, number>

/** The element type of a number of `TensorProto.DataType`. */
export function findElementType(number: number): ElementType | undefined {
  return (Object.keys(elementTypes) as ElementType[]).find((type) => elementTypes[type].number === number)
}
