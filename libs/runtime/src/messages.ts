/** What parent and child say to each other. Descriptor numbers are the child's; values of tensors are little-endian. */
import type { RuntimeErrorCode } from './errors.js'

/** Element types by the names of onnxruntime, which are ours too. */
export type TensorType = 'float32' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool' | 'float64'

/** Bytes of one element. */
export const elementBytes = {
  ...{ float32: 4, uint8: 1, int8: 1, int32: 4, int64: 8, bool: 1, float64: 8 },
} as const satisfies Record<TensorType, number>

/** Values of one input for all rows: parts side by side, each row-major in a file. */
export interface ChildFeed {
  readonly name: string
  readonly type: TensorType
  /** Of one row. */
  readonly rowShape: readonly number[]
  readonly parts: readonly { readonly fd: number; readonly offsetBytes: number; readonly width: number }[]
}

/** Values that stay the same for all rows. */
export interface ChildTensor {
  readonly name: string
  readonly type: TensorType
  readonly shape: readonly number[]
  readonly base64: string
}

/** What is done with one output. */
export interface ChildOutput {
  readonly name: string
  readonly type: TensorType
  /** Values per row, or in all where they are summed or answered. */
  readonly values: number
  readonly to:
    | { readonly kind: 'answer' | 'sum' }
    | { readonly kind: 'file'; readonly fd: number; readonly offsetBytes: number }
}

/** A request, without its number. */
export type Operation =
  | { readonly op: 'open'; readonly threads: number }
  | { readonly op: 'load'; readonly fd: number; readonly bytes: number }
  | {
      readonly op: 'run'
      readonly session: number
      readonly rows: number
      readonly blockRows: number
      readonly feeds: readonly ChildFeed[]
      readonly fixed: readonly ChildTensor[]
      readonly outputs: readonly ChildOutput[]
    }

/** A numbered request. */
export type Request = Operation & { readonly id: number }

/** What the child sends. Of a run: the values of outputs answered or summed, in base64; sums are float64. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: { readonly code: RuntimeErrorCode } }
  | { readonly id: number; readonly percent: number }
