import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CodedError } from '#libs/canonical'
import { aClock, FakeAmd, FakeAws, FakeIntel, FakeNvidia, slow } from '#libs/testing'
import { inspectedKinds } from './detect.js'
import { inspectUnverified } from './inspect.js'

const { now } = aClock()
const [amd, aws, intel, nvidia] = [new FakeAmd(), new FakeAws(), new FakeIntel(), new FakeNvidia()]
const genuine: readonly Uint8Array[] = [
  amd.make(amd.draft(now())).report,
  aws.make(aws.draft(now())).document,
  intel.make(intel.draft(now())).quote,
  nvidia.make(nvidia.draft(now(), new Uint8Array(32))).report,
]

function codedOnly(bytes: Uint8Array, kind?: (typeof inspectedKinds)[number]): void {
  try {
    inspectUnverified(bytes, kind)
  } catch (error) {
    expect(error).toBeInstanceOf(CodedError)
  }
}

describe('inspectUnverified', () => {
  const numRuns = slow ? 20_000 : 500

  it('ends in a code for any bytes, whatever kind they are said to be', () => {
    const anyBytes = fc.uint8Array({ maxLength: 1500 })
    fc.assert(fc.property(anyBytes, fc.constantFrom(undefined, ...inspectedKinds), codedOnly), { numRuns })
  })

  it('ends in a code for any text that looks like JSON or a token', () => {
    const text = fc.oneof(
      fc.json(),
      fc.string().map((tail) => `ey${tail}`),
    )
    fc.assert(
      fc.property(text, (written) => {
        codedOnly(new TextEncoder().encode(written))
      }),
      { numRuns },
    )
  })

  it('ends in a code for genuine evidence with any byte changed or its end cut', () => {
    const changed = fc.record({
      of: fc.constantFrom(...genuine),
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 255 }),
      cut: fc.boolean(),
    })
    fc.assert(
      fc.property(changed, ({ of, at, byte, cut }) => {
        const bytes = of.slice(0, cut ? at % of.length : of.length)
        if (bytes.length > 0) bytes[at % bytes.length] = byte
        codedOnly(bytes)
      }),
      { numRuns },
    )
  })
})
