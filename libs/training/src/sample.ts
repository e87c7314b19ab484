import type { Block } from './blocks.js'

/** Blocks of a sample. */
export const sampleBlocks = 16

/** Blocks spread evenly over all of them; all where they are few. */
export function sampleOf(blocks: readonly Block[]): readonly Block[] {
  const step = Math.max(1, Math.floor(blocks.length / sampleBlocks))
  return blocks.filter((_block, i) => i % step === 0)
}
