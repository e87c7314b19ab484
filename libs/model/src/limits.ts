/** How large a model may be. Each bound stands for memory or time that reading or running it takes. */
export const modelLimits = {
  /** Of the whole file. */
  bytes: 256_000_000,
  nodes: 20_000,
  /** Initializers, and tensors in attributes. */
  tensors: 20_000,
  inputs: 1_000,
  outputs: 100,
  /** Inputs and outputs of one node. */
  edges: 1_000,
  attributes: 64,
  /** Values in a list of one attribute; a tree ensemble of 100 trees of 1000 leaves has 200,000. */
  attributeValues: 5_000_000,
  /** Fields of all messages of a file. */
  fields: 1_000_000,
  /** Whole numbers in lists, of all messages. */
  numbers: 10_000_000,
  /** Bytes of a name in UTF-8. */
  nameBytes: 512,
  rank: 8,
  /** Of any one dimension. */
  dimension: 100_000_000,
  /** Values that one row of an input or output has. */
  rowValues: 10_000_000,
} as const
