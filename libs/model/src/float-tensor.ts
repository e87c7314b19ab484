import type { ModelTensor } from './model.js'

/** A float32 tensor of these values, rounded to the nearest that there are. */
export function floatTensor(name: string, shape: readonly number[], values: ArrayLike<number>): ModelTensor {
  return { name, type: 'float32', shape, bytes: littleEndianFloats(values) }
}

/** Values in single precision as ONNX keeps them. */
export function littleEndianFloats(values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < values.length; i++) view.setFloat32(i * 4, values[i] ?? 0, true)
  return bytes
}
