import { describe, expect, it } from 'vitest'
import { toBase64, type JsonValue } from '#libs/canonical'
import {
  authorityExtensions,
  fingerprint,
  FakeTokenIssuer,
  keyUsage,
  makeCertificate,
  makeKey,
  refusalOf,
  type FakeCertificate,
} from '#libs/testing'
import { Checklist } from '../checklist.js'
import { parseKeySet, type ServiceKey } from './key-set.node.js'
import { demandSigningKey, namesOf } from './signing-key.node.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const hour = 3_600_000
const service = new FakeTokenIssuer('ES384')
const authority = makeKey('ecdsa-sha384')
const period = { from: now - hour, until: now + hour }
const above: FakeCertificate = {
  ...period,
  subject: 'authority',
  issuer: 'root',
  serialNumber: 1,
  key: authority,
  signer: makeKey('ecdsa-sha384'),
  extensions: authorityExtensions(),
}
const certificate = (changes: Partial<FakeCertificate> = {}): FakeCertificate => ({
  ...period,
  subject: 'service',
  issuer: 'authority',
  serialNumber: 2,
  key: service.certifiedKey,
  signer: authority,
  extensions: [{ id: '2.5.29.15', value: keyUsage([0]) }],
  ...changes,
})
const authorityDer = makeCertificate(above)
const pinned = fingerprint(authorityDer)

function keyWith(x5c: JsonValue): ServiceKey {
  const [key] = parseKeySet(service.keySet({ x5c }))
  return key ?? expect.fail('no key')
}
const shown = (changes: Partial<FakeCertificate> = {}): ServiceKey =>
  keyWith([toBase64(makeCertificate(certificate(changes))), toBase64(authorityDer)])

describe('a key that signs tokens', () => {
  it('is known by its own thumbprint, and by the certificate above it', () => {
    expect(namesOf(shown(), now)).toEqual({
      thumbprint: service.thumbprint,
      certifiers: [pinned],
      refusedCertificates: null,
      certifiedUntil: now + hour,
    })
  })

  it.each<[string, ServiceKey, string | null]>([
    ['no certificates', keyWith([]), null],
    ['its own certificate alone', keyWith([toBase64(makeCertificate(certificate()))]), 'CHAIN_UNTRUSTED'],
    ['a certificate of another key', shown({ key: authority }), 'CHAIN_UNTRUSTED'],
    ['a certificate that a stranger signed', shown({ signer: makeKey('ecdsa-sha384') }), 'CHAIN_UNTRUSTED'],
    ['a certificate that is over', shown({ until: now - 1000 }), 'EXPIRED'],
    ['a certificate that has not begun', shown({ from: now + 1000 }), 'NOT_YET_VALID'],
    [
      'a certificate of a key that may only certify',
      shown({ extensions: [{ id: '2.5.29.15', value: keyUsage([5]) }] }),
      'CHAIN_UNTRUSTED',
    ],
    ['no base64', keyWith(['*', '*']), 'MALFORMED'],
    ['no certificates in it', keyWith(['AAAA', 'AAAA']), 'MALFORMED'],
  ])('is known by its thumbprint alone with %s', (_name, key, refusedCertificates) => {
    const names = namesOf(key, now)
    expect(names).toMatchObject({ certifiers: [], certifiedUntil: null, refusedCertificates })
    expect(names.thumbprint).toBe(service.thumbprint)
  })

  it('is accepted by either name, and by no other', async () => {
    const demand = (accepted: readonly string[], key = shown()) => {
      const checklist = new Checklist()
      demandSigningKey(namesOf(key, now), accepted, checklist.ofClaims)
    }
    demand([service.thumbprint])
    demand([pinned])
    for (const accepted of [[], ['A'.repeat(43)], ['00'.repeat(32)]])
      expect(
        (
          await refusalOf(() => {
            demand(accepted)
          })
        ).code,
      ).toBe('KEY_UNKNOWN')
    const expired = await refusalOf(() => {
      demand([pinned], shown({ until: now - 1000 }))
    })
    expect([expired.code, expired.message.includes('EXPIRED')]).toEqual(['KEY_UNKNOWN', true])
  })
})
