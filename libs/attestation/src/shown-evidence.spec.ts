import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalBytes, utf8, type JsonValue } from '#libs/canonical'
import { refusalOf, slow } from '#libs/testing'
import { AttestationError } from './errors.js'
import { parseShownEvidence, writeShownEvidence } from './shown-evidence.js'

const named = ['ab'.repeat(32)]
const bytes = Uint8Array.of(1, 2, 3)

describe('evidence beside its statement', () => {
  it('is the hardware’s own bytes where the Offer names no GPU, whatever they are', () => {
    expect(writeShownEvidence({ bytes })).toBe(bytes)
    const composite = writeShownEvidence({ bytes, gpu: [bytes] })
    expect(parseShownEvidence(composite, null)).toEqual({ bytes: composite, gpu: [] })
  })

  it('is read as it was written, with all GPUs in their order', () => {
    const shape = fc.record({
      bytes: fc.uint8Array({ minLength: 1, maxLength: 50 }),
      gpu: fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { minLength: 1, maxLength: 8 }),
    })
    fc.assert(
      fc.property(shape, (evidence) => {
        expect(parseShownEvidence(writeShownEvidence(evidence), named)).toEqual(evidence)
      }),
    )
  })

  it.each<[string, JsonValue]>([
    ['no GPU', { cpu: 'AQID', gpu: [] }],
    ['more GPUs than a machine has', { cpu: 'AQID', gpu: Array<string>(65).fill('AQID') }],
    ['an empty GPU', { cpu: 'AQID', gpu: [''] }],
    ['no CPU', { gpu: ['AQID'] }],
    ['something beside', { cpu: 'AQID', gpu: ['AQID'], nras: 'AQID' }],
    ['what is not base64url', { cpu: 'A', gpu: ['AQID'] }],
    ['a list', ['AQID']],
  ])('refuses %s', async (_, value) => {
    const error = await refusalOf(() => parseShownEvidence(canonicalBytes(value), named))
    expect(error).toMatchObject({ code: 'MALFORMED', stage: 'parse' })
  })

  it('refuses another spelling of the same', async () => {
    const spaced = utf8('{"cpu": "AQID","gpu":["AQID"]}')
    expect(await refusalOf(() => parseShownEvidence(spaced, named))).toMatchObject({ code: 'MALFORMED' })
  })

  it('lets only coded errors out', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(utf8)), (foreign) => {
        try {
          parseShownEvidence(foreign, named)
        } catch (error) {
          expect(error).toBeInstanceOf(AttestationError)
        }
      }),
      { numRuns: slow ? 20_000 : 500 },
    )
  })
})
