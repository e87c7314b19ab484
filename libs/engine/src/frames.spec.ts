import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFrame, FrameFault, FrameReader } from './frames.js'

const limits = { maximumFrameBytes: 1000, maximumTotalBytes: 10_000 }

describe('FrameReader', () => {
  it('gives back what was sent, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 5 }),
        fc.integer({ min: 1, max: 9 }),
        (messages, size) => {
          const bytes = Buffer.concat(messages.map((message) => encodeFrame(message)))
          const reader = new FrameReader({ maximumFrameBytes: 1e6, maximumTotalBytes: 1e7 })
          const got: unknown[] = []
          for (let at = 0; at < bytes.length; at += size)
            got.push(...reader.push(bytes.subarray(at, at + size)))
          expect(JSON.stringify(got)).toBe(JSON.stringify(messages))
        },
      ),
    )
  })

  const refused: [name: string, bytes: Uint8Array][] = [
    ['a frame longer than allowed, before its body came', Uint8Array.of(0, 0, 4, 0)],
    ['a length of four gigabytes', Uint8Array.of(255, 255, 255, 255)],
    ['what is not JSON', Uint8Array.of(0, 0, 0, 1, 0x7b)],
    ['what is not UTF-8', Uint8Array.of(0, 0, 0, 1, 0xff)],
    ['more bytes in all than allowed', new Uint8Array(10_001)],
  ]
  it.each(refused)('refuses %s', (_name, bytes) => {
    expect(() => new FrameReader(limits).push(bytes)).toThrow(FrameFault)
  })

  it('lets nothing but frames or a fault come out of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        try {
          new FrameReader(limits).push(bytes)
        } catch (cause) {
          expect(cause).toBeInstanceOf(FrameFault)
        }
      }),
    )
  })
})
