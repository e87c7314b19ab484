import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { utf8, type JsonValue } from '#libs/canonical'
import { FakeTokenIssuer } from '#libs/testing'
import type { AttestationErrorCode } from '../errors.js'
import { parseKeySet } from '../token/key-set.node.js'
import type { EvidenceVerdict } from '../verdict.js'
import { nrasIssuer } from './authenticate.js'
import { judgeNras } from './production.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const nvidia = new FakeTokenIssuer('ES384')
const stranger = new FakeTokenIssuer('ES384')
const nonce = '0e'.repeat(32)
type Claims = Record<string, JsonValue>

const trueClaims = [
  'arch-check',
  'attestation-report-parsed',
  'attestation-report-nonce-match',
  'attestation-report-signature-verified',
  ...['driver', 'vbios'].flatMap((rim) =>
    ['fetched', 'schema-validated', 'signature-verified', 'measurements-available'].map(
      (end) => `${rim}-rim-${end}`,
    ),
  ),
  'vbios-index-no-conflict',
]
const only = {
  '2.0': ['attestation-report-cert-chain-validated', 'driver-rim-cert-validated', 'vbios-rim-cert-validated'],
  '3.0': ['attestation-report-cert-chain-fwid-match', 'driver-rim-version-match', 'vbios-rim-version-match'],
}
const chains = ['attestation-report-cert-chain', 'driver-rim-cert-chain', 'vbios-rim-cert-chain']
const good = { 'x-nvidia-cert-status': 'valid', 'x-nvidia-cert-ocsp-status': 'good' }

interface Forgery {
  overall: Claims
  devices: Claims[]
  digest: (hex: string) => JsonValue
  /** The tokens by device, on their way. */
  tokens: (tokens: Record<string, string>) => Record<string, string>
  deviceIssuer: FakeTokenIssuer
  bundle: (bundle: unknown) => unknown
}

function draft(version: '2.0' | '3.0' = '2.0', gpus = 2): Forgery {
  const results = [...trueClaims, ...only[version]].map((name) => [`x-nvidia-gpu-${name}`, true] as const)
  const device = {
    iss: nrasIssuer,
    eat_nonce: nonce,
    measres: 'success',
    dbgstat: 'disabled',
    secboot: true,
    hwmodel: 'GH100 A01 GSP BROM',
    ...Object.fromEntries(results),
    ...(version === '3.0' ? Object.fromEntries(chains.map((chain) => [`x-nvidia-gpu-${chain}`, good])) : {}),
  }
  return {
    overall: {
      iss: nrasIssuer,
      sub: 'NVIDIA-PLATFORM-ATTESTATION',
      'x-nvidia-ver': version,
      'x-nvidia-overall-att-result': true,
      eat_nonce: nonce,
    },
    devices: Array.from({ length: gpus }, () => ({ ...device })),
    digest: (hex) => ['DIGEST', ['SHA-256', hex]],
    tokens: (tokens) => tokens,
    deviceIssuer: nvidia,
    bundle: (bundle) => bundle,
  }
}

function judge(f: Forgery, asked: string | null = nonce, gpus: number | null = 2): Promise<EvidenceVerdict> {
  const tokens = f.devices.map((claims) => f.deviceIssuer.make(f.deviceIssuer.draft(now, claims)))
  const named = Object.fromEntries(tokens.map((token, at) => [`GPU-${at}`, token]))
  const submods = Object.fromEntries(
    Object.entries(named).map(([name, token]) => [
      name,
      f.digest(createHash('sha256').update(token).digest('hex')),
    ]),
  )
  const overall = nvidia.make(nvidia.draft(now, { submods, ...f.overall }))
  const bundle = f.bundle([['JWT', overall], f.tokens(named)])
  const trust = { at: now, issuer: nrasIssuer, keys: parseKeySet(nvidia.keySet()) }
  return judgeNras(utf8(JSON.stringify(bundle)), { nonce: asked, gpus }, trust)
}

const first = (changes: Claims) => (f: Forgery) => void Object.assign(f.devices[1] ?? {}, changes)
const overall = (changes: Claims) => (f: Forgery) => void Object.assign(f.overall, changes)

describe('a bundle of the fake service', () => {
  it.each(['2.0', '3.0'] as const)('is fit for production with claims of version %s', async (version) => {
    const verdict = await judge(draft(version))
    expect(verdict).toMatchObject({ authentic: true, production: true, facts: { gpus: 2, version } })
  })

  it.each<[string, (f: Forgery) => void, AttestationErrorCode]>([
    [
      'no token of a device',
      (f) => (f.tokens = ({ 'GPU-0': kept = '' }) => ({ 'GPU-0': kept })),
      'BINDING_MISMATCH',
    ],
    [
      'a token without digest',
      (f) => (f.tokens = (t) => ({ ...t, 'GPU-2': t['GPU-0'] ?? '' })),
      'BINDING_MISMATCH',
    ],
    [
      'tokens of devices in exchange',
      (f) => (f.tokens = (t) => ({ 'GPU-0': t['GPU-1'] ?? '', 'GPU-1': t['GPU-0'] ?? '' })),
      'BINDING_MISMATCH',
    ],
    ['a digest of another hash', (f) => (f.digest = (hex) => ['DIGEST', ['MD5', hex]]), 'ALGORITHM'],
    ['a submod that is no digest', (f) => (f.digest = () => 'DIGEST'), 'MALFORMED'],
    [
      'a digest of another token',
      (f) => (f.digest = (hex) => ['DIGEST', ['SHA-256', hex.toUpperCase()]]),
      'BINDING_MISMATCH',
    ],
    ['a device token of a stranger', (f) => (f.deviceIssuer = stranger), 'SIGNATURE_INVALID'],
    ['a device token of another issuer', first({ iss: 'https://nras.example' }), 'WRONG_ISSUER'],
    ['a device token that has expired', first({ exp: now / 1000 - 1 }), 'EXPIRED'],
    ['an overall token of another kind', overall({ sub: 'NVIDIA-SWITCH-ATTESTATION' }), 'WRONG_TYPE'],
    ['a version not known', overall({ 'x-nvidia-ver': '9.0' }), 'MALFORMED'],
    ['a switch', overall({ submods: { 'SWITCH-0': ['DIGEST', ['SHA-256', '']] } }), 'WRONG_TYPE'],
    ['no submods', overall({ submods: null }), 'MALFORMED'],
    ['three parts', (f) => (f.bundle = (b) => [...(b as unknown[]), {}]), 'MALFORMED'],
    [
      'a first part of another kind',
      (f) => (f.bundle = (b) => [['CBOR', ''], (b as unknown[])[1]]),
      'MALFORMED',
    ],
    ['no JSON array', (f) => (f.bundle = () => ({})), 'MALFORMED'],
  ])('is not genuine with %s', async (_name, change, code) => {
    const forgery = draft()
    change(forgery)
    const { refusal, authentic, reason } = await judge(forgery)
    expect([refusal, authentic], reason ?? '').toEqual([code, false])
  })

  it.each<[string, (f: Forgery) => void, AttestationErrorCode]>([
    ['an overall result that is false', overall({ 'x-nvidia-overall-att-result': false }), 'RESULT_FALSE'],
    ['an overall result in text', overall({ 'x-nvidia-overall-att-result': 'true' }), 'RESULT_FALSE'],
    ['another nonce in a device token', first({ eat_nonce: '00'.repeat(32) }), 'BINDING_MISMATCH'],
    ['another nonce in the overall token', overall({ eat_nonce: '00'.repeat(32) }), 'BINDING_MISMATCH'],
    ['a device that can be debugged', first({ dbgstat: 'enabled' }), 'DEBUG_ENABLED'],
    ['a device without secure boot', first({ secboot: false }), 'POLICY'],
    ['measurements that failed', first({ measres: 'fail' }), 'RESULT_FALSE'],
    ['the hardware of a switch', first({ hwmodel: 'LS10' }), 'WRONG_TYPE'],
    ...[...trueClaims, ...only['2.0']].flatMap(
      (name): [string, (f: Forgery) => void, AttestationErrorCode][] => [
        [`${name} false`, first({ [`x-nvidia-gpu-${name}`]: false }), 'RESULT_FALSE'],
        [`${name} not said`, first({ [`x-nvidia-gpu-${name}`]: null }), 'RESULT_FALSE'],
      ],
    ),
  ])('is genuine and refused with %s', async (_name, change, code) => {
    const forgery = draft()
    change(forgery)
    expect(await judge(forgery)).toMatchObject({ authentic: true, production: false, refusal: code })
  })

  it.each(
    chains.flatMap((chain): [string, string, Claims, AttestationErrorCode][] => [
      [chain, 'revoked', { ...good, 'x-nvidia-cert-ocsp-status': 'revoked' }, 'REVOKED'],
      [chain, 'expired', { ...good, 'x-nvidia-cert-status': 'expired' }, 'EXPIRED'],
      [chain, 'unknown', { ...good, 'x-nvidia-cert-ocsp-status': 'unknown' }, 'RESULT_FALSE'],
      [chain, 'unsaid', {}, 'RESULT_FALSE'],
    ]),
  )('of version 3.0 is refused where the certificates of %s are %s', async (chain, _state, status, code) => {
    const forgery = draft('3.0')
    first({ [`x-nvidia-gpu-${chain}`]: status })(forgery)
    expect(await judge(forgery)).toMatchObject({ authentic: true, refusal: code })
  })

  it('is refused for another number of GPUs, and for none', async () => {
    expect(await judge(draft(), nonce, 8)).toMatchObject({ authentic: true, refusal: 'GPU_COUNT' })
    expect(await judge(draft('2.0', 0), nonce, null)).toMatchObject({ authentic: true, refusal: 'GPU_COUNT' })
  })

  it('is refused where its tokens are of two requests, even if no nonce was asked for', async () => {
    const forgery = draft()
    first({ eat_nonce: '00'.repeat(32) })(forgery)
    expect(await judge(forgery, null)).toMatchObject({ refusal: 'BINDING_MISMATCH' })
  })
})
