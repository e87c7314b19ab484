import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, utf8 } from '#libs/canonical'
import {
  authorityExtensions,
  fingerprint,
  flipBit,
  makeCertificate,
  makeKey,
  makeRevocationList,
  pem,
  signRaw,
  slow,
  type FakeCertificate,
} from '#libs/testing'
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import { parseCertificate, type Certificate } from './certificate.js'
import { verifyChain } from './chain.node.js'
import { parseCertificates, parsePem } from './pem.js'
import { certificateFingerprint } from './pinned.js'
import { parseRevocationList } from './revocation-list.js'
import { verifyNotRevoked } from './revocation.node.js'
import { isRawEcdsa, publicKeyOfPoint } from './signature.node.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const day = 86_400_000
const keys = [
  makeKey('ecdsa-sha256', { curve: 'P-256' }),
  makeKey('ecdsa-sha384'),
  makeKey('ecdsa-sha384'),
] as const
const stranger = makeKey('ecdsa-sha384')
const algorithms = ['ecdsa-sha256', 'ecdsa-sha384'] as const

/** Root, authority and leaf, to be changed before they are made. */
function hierarchy(): [root: FakeCertificate, authority: FakeCertificate, leaf: FakeCertificate] {
  const period = { from: now - day, until: now + day }
  const [root, authority, leaf] = keys
  return [
    {
      ...period,
      subject: 'root',
      issuer: 'root',
      serialNumber: 1,
      key: root,
      signer: root,
      extensions: authorityExtensions(),
    },
    {
      ...period,
      subject: 'authority',
      issuer: 'root',
      serialNumber: 2,
      key: authority,
      signer: root,
      extensions: authorityExtensions({ pathLength: 0 }),
    },
    {
      ...period,
      subject: 'leaf',
      issuer: 'authority',
      serialNumber: 3,
      key: leaf,
      signer: authority,
      extensions: [],
    },
  ]
}

function verify(certificates: readonly FakeCertificate[], pinned?: Uint8Array): readonly Certificate[] {
  const made = certificates.map(makeCertificate)
  const leaf = parseCertificate(made.at(-1)!)
  const pool = made.slice(0, -1).map((der) => parseCertificate(der))
  return verifyChain(leaf, pool, {
    at: now,
    roots: [fingerprint(pinned ?? made[0]!)],
    algorithms,
    what: 'leaf',
  })
}

function codeOf(act: () => unknown): AttestationErrorCode | null {
  try {
    act()
    return null
  } catch (error) {
    if (error instanceof AttestationError) return error.code
    throw error
  }
}

describe('a chain', () => {
  it('leads from the leaf to the pinned root, whatever the order of what was given', () => {
    const [root, authority, leaf] = hierarchy()
    const names = (chain: readonly Certificate[]) => chain.map(({ subject }) => subject.commonName)
    expect(names(verify([root, authority, leaf]))).toEqual(['leaf', 'authority', 'root'])
    const rootDer = makeCertificate(root)
    const pool = [makeCertificate(authority), rootDer, rootDer].map((der) => parseCertificate(der))
    const rules = { at: now, roots: [fingerprint(rootDer)], algorithms, what: 'leaf' }
    expect(names(verifyChain(parseCertificate(makeCertificate(leaf)), pool, rules))).toEqual([
      'leaf',
      'authority',
      'root',
    ])
  })

  it('takes the authority that signed from several of one name', () => {
    const [root, authority, leaf] = hierarchy()
    const namesake = { ...authority, key: stranger, serialNumber: 9 }
    expect(verify([root, namesake, authority, leaf])[1]?.serialNumber).toBe('02')
  })

  it('ends where certificates certify each other', () => {
    const [root, authority, leaf] = hierarchy()
    const circle = [{ ...root, issuer: 'authority', signer: keys[1] }, authority, leaf]
    expect(codeOf(() => verify(circle, utf8('another root')))).toBe('CHAIN_UNTRUSTED')
  })

  it('ends where it is longer than any hierarchy', () => {
    const [root, , leaf] = hierarchy()
    const links = Array.from({ length: 12 }, (_, i) => ({
      ...root,
      subject: `link ${i}`,
      issuer: i === 0 ? 'root' : `link ${i - 1}`,
    }))
    expect(codeOf(() => verify([root, ...links, { ...leaf, issuer: 'link 11', signer: keys[0] }]))).toBe(
      'CHAIN_UNTRUSTED',
    )
  })

  it('does not consist of a root alone', () => {
    const [root] = hierarchy()
    expect(codeOf(() => verify([root]))).toBe('CHAIN_UNTRUSTED')
  })

  it('refuses a leaf that certifies another leaf', () => {
    const [root, authority, leaf] = hierarchy()
    const below = { ...leaf, subject: 'below', issuer: 'leaf', signer: keys[2], key: stranger }
    expect(codeOf(() => verify([root, authority, leaf, below]))).toBe('CHAIN_UNTRUSTED')
    const second = { ...leaf, extensions: authorityExtensions() }
    expect(codeOf(() => verify([root, authority, second, below]))).toBe('CHAIN_UNTRUSTED')
    expect(
      codeOf(() => verify([root, { ...authority, extensions: authorityExtensions() }, second, below])),
    ).toBe(null)
  })

  it('refuses algorithms that are not on the list, and a key that is not its algorithm’s', () => {
    const [root, authority, leaf] = hierarchy()
    const rsa = makeKey('rsa-pkcs1-sha384')
    expect(codeOf(() => verify([root, { ...authority, key: rsa }, { ...leaf, signer: rsa }]))).toBe(
      'ALGORITHM',
    )
    expect(codeOf(() => verify([root, { ...authority, key: rsa }, leaf]))).toBe('ALGORITHM')
  })

  it('is refused with any bit of any certificate turned over', () => {
    const made = hierarchy().map(makeCertificate)
    const roots = [fingerprint(made[0]!)]
    fc.assert(
      fc.property(fc.nat({ max: 2 }), fc.nat({ max: 10_000 }), (which, at) => {
        const changed = made.map((der, i) => (i === which ? flipBit(der, at % (der.length * 8)) : der))
        const code = codeOf(() => {
          const [root, authority, leaf] = changed.map((der) => parseCertificate(der)) as [
            Certificate,
            Certificate,
            Certificate,
          ]
          verifyChain(leaf, [root, authority], { at: now, roots, algorithms, what: 'leaf' })
        })
        expect(code).not.toBe(null)
      }),
      { numRuns: slow ? 10_000 : 300 },
    )
  })
})

describe('revocation', () => {
  const list = {
    issuer: 'authority',
    signer: keys[1],
    from: now - day,
    until: now + day,
    revoked: [],
    extensions: [],
  }
  const rules = { at: now, algorithms, demanded: 'every' } as const
  const chain = () => verify(hierarchy()) as ReturnType<typeof verifyChain>
  const ofRoot = parseRevocationList(makeRevocationList({ ...list, issuer: 'root', signer: keys[0] }))

  it('demands a list of every issuer where the caller does', () => {
    const own = parseRevocationList(makeRevocationList(list))
    expect(
      codeOf(() => {
        verifyNotRevoked(chain(), [own, ofRoot], rules)
      }),
    ).toBe(null)
    expect(
      codeOf(() => {
        verifyNotRevoked(chain(), [own], rules)
      }),
    ).toBe('COLLATERAL_MISSING')
    expect(
      codeOf(() => {
        verifyNotRevoked(chain(), [], rules)
      }),
    ).toBe('COLLATERAL_MISSING')
    expect(
      codeOf(() => {
        verifyNotRevoked(chain(), [], { ...rules, demanded: 'none' })
      }),
    ).toBe(null)
    const ofAuthorities = { ...rules, demanded: 'authorities' } as const
    expect(
      codeOf(() => {
        verifyNotRevoked(chain(), [ofRoot], ofAuthorities)
      }),
    ).toBe(null)
    expect(
      codeOf(() => {
        verifyNotRevoked(chain(), [own], ofAuthorities)
      }),
    ).toBe('COLLATERAL_MISSING')
  })

  it('refuses a certificate on the list of its issuer, and on no other', () => {
    const revoking = (revoked: number[]) => parseRevocationList(makeRevocationList({ ...list, revoked }))
    expect(
      codeOf(() => {
        verifyNotRevoked(chain(), [revoking([9, 3]), ofRoot], rules)
      }),
    ).toBe('REVOKED')
    expect(
      codeOf(() => {
        verifyNotRevoked(chain(), [revoking([2]), ofRoot], rules)
      }),
    ).toBe(null)
  })

  it('is not read from a list with any bit turned over', () => {
    const made = makeRevocationList({ ...list, revoked: [9] })
    fc.assert(
      fc.property(fc.nat({ max: made.length * 8 - 1 }), (bit) => {
        const code = codeOf(() => {
          verifyNotRevoked(chain(), [parseRevocationList(flipBit(made, bit)), ofRoot], rules)
        })
        expect(code).not.toBe(null)
      }),
      { numRuns: slow ? 3000 : 100 },
    )
  })
})

describe('files of certificates', () => {
  const der = makeCertificate(hierarchy()[0])
  it('are one in DER, or many in PEM with text before them', () => {
    expect(parseCertificates(der, 'file')).toHaveLength(1)
    expect(parseCertificates(concatBytes(utf8('subject=root\r\n'), pem([der, der])), 'file')).toHaveLength(2)
    expect(certificateFingerprint(pem([der]))).toBe(fingerprint(der))
  })

  it.each<[string, Uint8Array, AttestationErrorCode]>([
    ['no block', utf8('text'), 'MALFORMED'],
    ['no bytes', new Uint8Array(), 'MALFORMED'],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe), 'MALFORMED'],
    ['a block without end', pem([der]).subarray(0, -5), 'MALFORMED'],
    [
      'a block that is not base64',
      utf8('-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----'),
      'MALFORMED',
    ],
    ['a block of something else', pem([der], 'PRIVATE KEY'), 'MALFORMED'],
    ['too many blocks', pem(Array.from({ length: 33 }, () => der)), 'MALFORMED'],
    ['text after the last', concatBytes(pem([der]), utf8('text')), 'TRAILING_DATA'],
    ['DER with a byte after it', concatBytes(der, Uint8Array.of(0)), 'TRAILING_DATA'],
    ['a block with a byte after its certificate', pem([concatBytes(der, Uint8Array.of(0))]), 'TRAILING_DATA'],
  ])('are refused with %s', (_name, bytes, code) => {
    expect(codeOf(() => parseCertificates(bytes, 'file'))).toBe(code)
  })

  it('pin one root, not several', () => {
    expect(codeOf(() => certificateFingerprint(pem([der, der])))).toBe('MALFORMED')
  })

  it('end in a coded error or a value, whatever stands in them', () => {
    fc.assert(
      fc.property(fc.nat({ max: der.length }), fc.uint8Array({ maxLength: 30 }), (at, bytes) => {
        codeOf(() =>
          parseCertificate(concatBytes(der.subarray(0, at), bytes, der.subarray(at + bytes.length))),
        )
        codeOf(() =>
          parseRevocationList(concatBytes(der.subarray(0, at), bytes, der.subarray(at + bytes.length))),
        )
      }),
      { numRuns: slow ? 20_000 : 500 },
    )
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        codeOf(() => parsePem(text, 'file'))
      }),
    )
  })
})

describe('raw ECDSA', () => {
  const message = utf8('message')
  const key = keys[1]
  const publicKey = { type: { type: 'ec', curve: 'P-384' }, spki: key.spki } as const
  const p384 = { curve: 'P-384', hash: 'sha384' } as const
  const signature = signRaw(key, message)

  it('verifies r‖s of the very message, by a key given as certificate or as point', () => {
    expect(isRawEcdsa({ signed: message, signature }, publicKey, p384, 'test')).toBe(true)
    const point = publicKeyOfPoint('P-384', key.spki.slice(-96))
    expect(isRawEcdsa({ signed: message, signature }, point, p384, 'test')).toBe(true)
    expect(isRawEcdsa({ signed: utf8('massage'), signature }, publicKey, p384, 'test')).toBe(false)
    expect(isRawEcdsa({ signed: message, signature: new Uint8Array(96) }, publicKey, p384, 'test')).toBe(
      false,
    )
  })

  it('refuses other lengths, other curves, and points that are on none', () => {
    const short = { signed: message, signature: signature.subarray(1) }
    expect(codeOf(() => isRawEcdsa(short, publicKey, p384, 'test'))).toBe('MALFORMED')
    expect(
      codeOf(() =>
        isRawEcdsa({ signed: message, signature }, publicKey, { curve: 'P-256', hash: 'sha256' }, 'test'),
      ),
    ).toBe('ALGORITHM')
    expect(codeOf(() => publicKeyOfPoint('P-384', new Uint8Array(95)))).toBe('MALFORMED')
    const nowhere = publicKeyOfPoint('P-384', new Uint8Array(96).fill(1))
    expect(codeOf(() => isRawEcdsa({ signed: message, signature }, nowhere, p384, 'test'))).toBe('MALFORMED')
  })
})
