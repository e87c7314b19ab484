import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CodedError } from '#libs/canonical'
import { slow } from '#libs/testing'
import { AgentError } from '../errors.js'
import { BundleParser } from './bundle.js'

const key = { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }
const header = {
  sealroom: 'audit-bundle/v1',
  log: { origin: 'log.test/1', key, coordinatorKey: key },
  contract: 'a'.repeat(64),
  party: 'B'.repeat(43),
  exportedAt: '2026-11-23T12:00:00.000Z',
}
const whole: readonly object[] = [
  header,
  { leaves: ['one', 'two'] },
  { identity: { thumbprint: 'B'.repeat(43), statements: ['x'] } },
  { statement: { type: 'spend', statement: 'x', attachment: null } },
  { checkpoint: 'note' },
  { end: { leaves: 2, identities: 1, statements: 1, checkpoints: 1 } },
]

function parse(lines: readonly string[]) {
  const parser = new BundleParser('file')
  for (const line of lines) parser.take(line)
  return parser.finish()
}

const texts = (parts: readonly unknown[]) => parts.map((part) => JSON.stringify(part))
const codeOf = (lines: readonly string[]) => {
  try {
    parse(lines)
    return null
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return error.code
  }
}

describe('a bundle', () => {
  it('is read part by part', () => {
    const { material } = parse(texts(whole))
    expect(material).toMatchObject({
      contract: 'a'.repeat(64),
      leaves: ['one', 'two'],
      checkpoints: ['note'],
    })
  })

  const broken: readonly [string, readonly unknown[]][] = [
    ['empty', []],
    ['without its first line', whole.slice(1)],
    ['cut off', whole.slice(0, -1)],
    ['with a line left out', whole.filter((_, at) => at !== 3)],
    ['with a line twice', [...whole.slice(0, 2), ...whole.slice(1)]],
    ['with a line after its end', [...whole, whole[4]]],
    ['of another version', [{ ...header, sealroom: 'audit-bundle/v2' }, ...whole.slice(1)]],
    ['with a member more', [{ ...header, more: 1 }, ...whole.slice(1)]],
    ['with a part of no kind', [header, { other: 1 }, ...whole.slice(2)]],
    ['with a statement of no type', [header, { statement: { type: 'x', statement: 'x', attachment: null } }]],
    ['with null for a line', [header, null]],
  ]
  it.each(broken)('%s is refused', (_, parts) => {
    expect(codeOf(texts(parts))).toBe('USAGE')
  })

  it('of any bytes ends in a coded error', () => {
    const line = fc.oneof(fc.json(), fc.string(), fc.constantFrom(...texts(whole)))
    const property = fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      try {
        parse(lines)
      } catch (error) {
        expect(error).toBeInstanceOf(CodedError)
      }
    })
    fc.assert(property, { numRuns: slow ? 20_000 : 500 })
  })
})
