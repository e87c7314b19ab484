import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BlockQueue } from './block-queue.node.js'

describe('a queue of blocks', () => {
  it('gives nothing when it has nothing, nor after it was stopped by any thread', () => {
    expect(new BlockQueue(0).take(1)).toBeUndefined()
    const here = new BlockQueue(100)
    const there = new BlockQueue(100, here.memory)
    expect(here.take(8)).toEqual({ first: 0, count: 8 })
    there.stop()
    expect(here.take(8)).toBeUndefined()
    expect(there.take(8)).toBeUndefined()
  })

  it('gives every block once and in order, whoever takes how many', () => {
    fc.assert(
      fc.property(
        fc.nat(500),
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 40 })), { minLength: 1 }),
        (blocks, takers) => {
          const here = new BlockQueue(blocks)
          const there = new BlockQueue(blocks, here.memory)
          let given = 0
          for (let i = 0; given < blocks; i++) {
            const [isHere, most] = takers[i % takers.length]!
            const run = (isHere ? here : there).take(most)
            expect(run).toEqual({ first: given, count: Math.min(most, blocks - given) })
            given += run!.count
          }
          expect(here.take(1)).toBeUndefined()
          expect(there.take(1)).toBeUndefined()
        },
      ),
    )
  })
})
