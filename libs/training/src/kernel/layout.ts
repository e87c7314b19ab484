import { blockRows } from '../blocks.js'

/**
 * Bytes from a column to the next, in single and in double precision: one block's rows, and a little more, since columns that lie a power
 * of two apart would drive each other out of a processor's cache.
 */
export const singleStride = (blockRows + 16) * 4
/** See {@link singleStride}. */
export const doubleStride = (blockRows + 8) * 8

/** Kernels go over rows by so many at a time. */
export const rowsAtOnce = 8
/** Columns whose gradient is summed together. */
export const columnsAtOnce = 4
/** Columns whose products with as many others are summed together. */
export const tileColumns = 3
