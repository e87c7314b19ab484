import { describe, expect, it } from 'vitest'
import type { JsonValue } from '#libs/canonical'
import { FakeTokenIssuer } from '#libs/testing'
import type { AttestationErrorCode } from '../errors.js'
import { parseKeySet } from '../token/key-set.node.js'
import type { EvidenceVerdict } from '../verdict.js'
import { confidentialSpaceIssuer, judgeConfidentialSpace } from './production.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const google = new FakeTokenIssuer('RS256')
const keys = parseKeySet(google.keySet())
const request = { audience: 'sealroom', nonce: 'the nonce asked for' }
const good: Record<string, JsonValue> = {
  iss: confidentialSpaceIssuer,
  aud: request.audience,
  eat_nonce: request.nonce,
  swname: 'CONFIDENTIAL_SPACE',
  hwmodel: 'GCP_INTEL_TDX',
  dbgstat: 'disabled-since-boot',
  secboot: true,
  submods: {
    confidential_space: { support_attributes: ['LATEST', 'STABLE'] },
    container: { image_digest: 'sha256:ab' },
  },
}

const judge = (claims: Record<string, JsonValue>): Promise<EvidenceVerdict> =>
  judgeConfidentialSpace(google.make(google.draft(now, { ...good, ...claims })), request, {
    at: now,
    issuer: confidentialSpaceIssuer,
    keys,
  })

describe('a token of the fake Confidential Space', () => {
  it.each<[string, Record<string, JsonValue>]>([
    ['as it is', {}],
    ['for several audiences', { aud: ['other', 'sealroom'] }],
    ['with several nonces', { eat_nonce: ['the nonce of another', request.nonce] }],
  ])('is fit for production %s', async (_name, claims) => {
    const verdict = await judge(claims)
    expect(verdict).toMatchObject({ production: true, facts: { image_digest: 'sha256:ab', secboot: true } })
  })

  it.each<[string, Record<string, JsonValue>, AttestationErrorCode]>([
    ['another audience', { aud: 'sealroom.example' }, 'WRONG_AUDIENCE'],
    ['no audience', { aud: null }, 'WRONG_AUDIENCE'],
    ['another nonce', { eat_nonce: 'the nonce' }, 'BINDING_MISMATCH'],
    ['no nonce', { eat_nonce: [] }, 'BINDING_MISMATCH'],
    ['other software', { swname: 'GCE' }, 'IMAGE_NOT_PRODUCTION'],
    ['a debug image', { dbgstat: 'enabled' }, 'DEBUG_ENABLED'],
    ['debugging disabled since later', { dbgstat: 'disabled' }, 'DEBUG_ENABLED'],
    ['a VM that is no TEE', { hwmodel: 'GCP_SHIELDED_VM' }, 'POLICY'],
    ['no secure boot', { secboot: false }, 'POLICY'],
    [
      'an image that is not stable',
      { submods: { confidential_space: { support_attributes: ['USABLE'] } } },
      'IMAGE_NOT_PRODUCTION',
    ],
    [
      'its stability in one text',
      { submods: { confidential_space: { support_attributes: 'STABLE' } } },
      'IMAGE_NOT_PRODUCTION',
    ],
    [
      'its stability at the wrong level',
      { submods: { support_attributes: ['STABLE'] } },
      'IMAGE_NOT_PRODUCTION',
    ],
  ])('is genuine and refused with %s', async (_name, claims, code) => {
    expect(await judge(claims)).toMatchObject({ authentic: true, production: false, refusal: code })
  })
})
