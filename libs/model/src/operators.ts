/**
 * The operators that models may use, with their attributes. On the list is what computes row by row or reduces, and whose
 * results are no larger than inputs and weights make them. Not on it: control flow, randomness, text, sequences, and what makes a
 * tensor as large as a number says (Expand, Tile, Range, ConstantOfShape, Pad, Resize, OneHot).
 * Source: onnx/docs/Operators.md, Operators-ml.md.
 */
import type { AttributeKind } from './model.js'

/** Attributes by name. */
export type OperatorAttributes = Readonly<Record<string, AttributeKind>>

const axis = { axis: 'int' } as const
const reduce = { axes: 'ints', keepdims: 'int', noop_with_empty_axes: 'int' } as const
const window: OperatorAttributes = {
  ...{ auto_pad: 'string', ceil_mode: 'int', dilations: 'ints', kernel_shape: 'ints', pads: 'ints' },
  ...{ strides: 'ints', storage_order: 'int', count_include_pad: 'int', group: 'int' },
}
const tree: OperatorAttributes = {
  ...{
    nodes_falsenodeids: 'ints',
    nodes_featureids: 'ints',
    nodes_hitrates: 'floats',
    nodes_modes: 'strings',
  },
  ...{ nodes_missing_value_tracks_true: 'ints', nodes_nodeids: 'ints', nodes_treeids: 'ints' },
  ...{ nodes_truenodeids: 'ints', nodes_values: 'floats', base_values: 'floats', post_transform: 'string' },
}

const plain =
  'Abs Add And BitShift Ceil Div Equal Erf Exp Floor Greater GreaterOrEqual Identity IsNaN Less LessOrEqual Log MatMul Max Mean Min ' +
  'Mul Neg Not Or Pow PRelu Reciprocal Relu Round Sigmoid Sign Softplus Softsign Sqrt Sub Sum Tanh Where Xor GlobalAveragePool ' +
  'GlobalMaxPool HardSwish Mish'

const standard: Readonly<Record<string, OperatorAttributes>> = {
  ...Object.fromEntries(plain.split(' ').map((operator) => [operator, {}])),
  ...Object.fromEntries(
    'ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare'
      .split(' ')
      .map((operator) => [operator, reduce]),
  ),
  ArgMax: { ...axis, keepdims: 'int', select_last_index: 'int' },
  ArgMin: { ...axis, keepdims: 'int', select_last_index: 'int' },
  AveragePool: window,
  BatchNormalization: { epsilon: 'float', momentum: 'float', spatial: 'int', training_mode: 'int' },
  Cast: { to: 'int', saturate: 'int' },
  Clip: { min: 'float', max: 'float' },
  Concat: axis,
  Constant: {
    ...{
      value: 'tensor',
      value_float: 'float',
      value_floats: 'floats',
      value_int: 'int',
      value_ints: 'ints',
    },
  },
  Conv: window,
  Elu: { alpha: 'float' },
  Flatten: axis,
  Gather: axis,
  Gelu: { approximate: 'string' },
  Gemm: { alpha: 'float', beta: 'float', transA: 'int', transB: 'int' },
  HardSigmoid: { alpha: 'float', beta: 'float' },
  LayerNormalization: { ...axis, epsilon: 'float', stash_type: 'int' },
  LeakyRelu: { alpha: 'float' },
  LogSoftmax: axis,
  MaxPool: window,
  Reshape: { allowzero: 'int' },
  Selu: { alpha: 'float', gamma: 'float' },
  Slice: { axes: 'ints', ends: 'ints', starts: 'ints' },
  Softmax: axis,
  Split: { ...axis, split: 'ints', num_outputs: 'int' },
  Squeeze: { axes: 'ints' },
  Transpose: { perm: 'ints' },
  Unsqueeze: { axes: 'ints' },
}

const machineLearning: Readonly<Record<string, OperatorAttributes>> = {
  ArrayFeatureExtractor: {},
  Binarizer: { threshold: 'float' },
  Imputer: {
    ...{ imputed_value_floats: 'floats', imputed_value_int64s: 'ints', replaced_value_float: 'float' },
    ...{ replaced_value_int64: 'int' },
  },
  LinearClassifier: {
    ...{ classlabels_ints: 'ints', coefficients: 'floats', intercepts: 'floats', multi_class: 'int' },
    ...{ post_transform: 'string' },
  },
  LinearRegressor: { coefficients: 'floats', intercepts: 'floats', post_transform: 'string', targets: 'int' },
  Normalizer: { norm: 'string' },
  Scaler: { offset: 'floats', scale: 'floats' },
  TreeEnsembleClassifier: {
    ...tree,
    ...{ class_ids: 'ints', class_nodeids: 'ints', class_treeids: 'ints', class_weights: 'floats' },
    ...{ classlabels_int64s: 'ints' },
  },
  TreeEnsembleRegressor: {
    ...tree,
    ...{ aggregate_function: 'string', n_targets: 'int', target_ids: 'ints', target_nodeids: 'ints' },
    ...{ target_treeids: 'ints', target_weights: 'floats' },
  },
}

/** A domain: its range of versions, and what may be used of it. */
export interface Domain {
  readonly minimumVersion: number
  readonly maximumVersion: number
  readonly operators: Readonly<Record<string, OperatorAttributes>>
}

/** The domains that models may import; the empty name is that of ONNX itself. */
export const domains: Readonly<Record<string, Domain>> = {
  '': { minimumVersion: 9, maximumVersion: 22, operators: standard },
  'ai.onnx.ml': { minimumVersion: 1, maximumVersion: 3, operators: machineLearning },
}

/** Versions of the format itself. */
export const irVersions = { minimum: 4, maximum: 11 } as const
