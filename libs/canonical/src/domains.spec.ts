import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHash, createHmac } from 'node:crypto'
import { concatBytes, toHex, utf8 } from './bytes.js'
import { digest, digest512, keyedDigest } from './digest.js'
import { domains, statementDomain, statementTypes, type Domain } from './domains.js'

const all: readonly Domain[] = [...Object.values(domains), ...statementTypes.map(statementDomain)]

describe('the domain tags', () => {
  it('are unique, end in a newline and hold none before it, so that none is a prefix of another', () => {
    expect(new Set(all).size).toBe(all.length)
    for (const tag of all) expect(tag).toMatch(/^sealroom\/v1\/[a-z0-9/-]+\n$/)
    for (const tag of all) expect(all.filter((other) => other !== tag && other.startsWith(tag))).toEqual([])
  })

  it('name each type of statement once', () => {
    expect(new Set(statementTypes).size).toBe(statementTypes.length)
  })
})

describe('digests', () => {
  const bytes = fc.uint8Array({ maxLength: 300 })
  const tag = fc.constantFrom(...all)
  it('are SHA-256, SHA-512 and HMAC over tag and bytes, as Node computes them', () => {
    fc.assert(
      fc.property(tag, bytes, bytes, (domain, value, key) => {
        const tagged = concatBytes(utf8(domain), value)
        expect(digest(domain, value)).toBe(createHash('sha256').update(tagged).digest('hex'))
        expect(toHex(digest512(domain, value))).toBe(createHash('sha512').update(tagged).digest('hex'))
        expect(keyedDigest(domain, key, value)).toBe(createHmac('sha256', key).update(tagged).digest('hex'))
      }),
    )
  })

  it('differ by domain for the same bytes', () => {
    const value = utf8('the same bytes')
    expect(new Set(all.map((domain) => digest(domain, value))).size).toBe(all.length)
  })
})
