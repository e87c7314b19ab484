import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CodedError, toHex, utf8, type JsonValue } from '#libs/canonical'
import {
  fakeAudience,
  fakeConfidentialSpace,
  FakeTokenIssuer,
  refusalOf,
  slow,
  type FakeClaims,
  type TokenForgery,
} from '#libs/testing'
import { checkReportData, evidenceNonce } from '../binding.js'
import { Checklist } from '../checklist.js'
import type { AttestationErrorCode } from '../errors.js'
import { parseReferenceValues } from '../reference-values.js'
import { confidentialSpaceVerifier as verifier } from './verifier.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const google = new FakeTokenIssuer('RS256')
const stranger = new FakeTokenIssuer('RS256')
const asked = new Uint8Array(64).fill(0x5a)
const nonce = evidenceNonce(asked)
const entry = {
  tee: 'gcp-cs',
  measurement: ['1d'.repeat(32)],
  maximumAgeSeconds: 300,
  audience: fakeAudience,
  keys: [google.thumbprint],
  hardware: ['GCP_AMD_SEV_SNP'],
}

interface Case {
  claims: FakeClaims
  entry: Record<string, unknown>
  forge: (forgery: TokenForgery) => void
  keys: Uint8Array
  signer: FakeTokenIssuer
}
type Change = (item: Case) => void

async function verify(change: Change = () => undefined): Promise<Checklist> {
  const item: Case = {
    claims: fakeConfidentialSpace(nonce),
    entry,
    forge: () => undefined,
    keys: google.keySet(),
    signer: google,
  }
  change(item)
  const forgery = item.signer.draft(now, item.claims)
  item.forge(forgery)
  const bytes = utf8(item.signer.make(forgery))
  const checklist = new Checklist()
  const evidence = { kind: 'gcp-cs', bytes, collateral: { jwks: item.keys } } as const
  const authentic = await verifier.authenticate(evidence, { now, checklist })
  checkReportData(authentic, asked, checklist)
  verifier.appraise(authentic, parseReferenceValues(item.entry), { now, checklist })
  expect(authentic).toMatchObject({
    measurement: '1d'.repeat(32),
    issuedAt: now - 60_000,
    vouchedUntil: now + 3_540_000,
  })
  return checklist
}

const claims =
  (fields: FakeClaims): Change =>
  (item) => {
    item.claims = { ...item.claims, ...fields }
  }
const demand =
  (fields: Record<string, unknown>): Change =>
  (item) => {
    item.entry = { ...item.entry, ...fields }
  }
const both =
  (...changes: Change[]): Change =>
  (item) => {
    for (const change of changes) change(item)
  }
const submod =
  (name: string, fields: FakeClaims): Change =>
  (item) => {
    const submods = item.claims['submods'] as FakeClaims
    item.claims['submods'] = { ...submods, [name]: { ...(submods[name] as FakeClaims), ...fields } }
  }
const container = (fields: FakeClaims) => submod('container', fields)
const space = (fields: FakeClaims) => submod('confidential_space', fields)
const tdx = both(
  claims({ hwmodel: 'GCP_INTEL_TDX', tdx: { gcp_attester_tcb_status: 'UpToDate' } }),
  demand({ hardware: ['GCP_INTEL_TDX'] }),
)
const status = (value: JsonValue) => claims({ tdx: { gcp_attester_tcb_status: value } })

describe('a token of the fake Confidential Space as evidence', () => {
  it.each<[string, Change]>([
    ['itself', () => undefined],
    ['lists of one audience and one nonce', claims({ aud: [fakeAudience], eat_nonce: [toHex(nonce)] })],
    ['TDX', tdx],
    [
      'TDX with a status that is waived',
      both(tdx, status('SWHardeningNeeded'), demand({ tcbStatus: ['SWHardeningNeeded'] })),
    ],
    [
      'arguments that the entry names',
      both(container({ cmd_override: ['--a', 'b'] }), demand({ cmdOverride: ['--a', 'b'] })),
    ],
    [
      'variables that the entry names',
      both(container({ env_override: { B: '2', A: '1' } }), demand({ envOverride: { A: '1', B: '2' } })),
    ],
    ['overrides that are empty', container({ cmd_override: [], env_override: {} })],
    [
      'another restart policy that the entry names',
      both(container({ restart_policy: 'Always' }), demand({ restartPolicy: ['Always'] })),
    ],
    ['a version that is enough', demand({ minimumImageVersion: 260900 })],
    [
      'its project and account',
      demand({ projects: ['project-1'], serviceAccounts: ['worker@project-1.example'] }),
    ],
    [
      'memory monitored where that is allowed',
      both(space({ monitoring_enabled: { memory: true } }), demand({ memoryMonitoring: 'allowed' })),
    ],
  ])('meets its entry: %s', async (_name, change) => {
    expect((await verify(change)).checks.every(({ ok }) => ok)).toBe(true)
  })

  it.each<[string, Change, AttestationErrorCode]>([
    [
      'a stranger that shows its own key set',
      (item) => {
        item.signer = stranger
        item.keys = stranger.keySet()
      },
      'KEY_UNKNOWN',
    ],
    ['the key set of a stranger', (item) => (item.keys = stranger.keySet()), 'SIGNATURE_INVALID'],
    ['another issuer', claims({ iss: 'https://accounts.google.com' }), 'WRONG_ISSUER'],
    ['an end that is over', (item) => (item.forge = (f) => (f.claims['exp'] = now / 1000)), 'EXPIRED'],
    [
      'the right signature for a wrong purpose',
      claims({ aud: 'https://sts.googleapis.com' }),
      'WRONG_AUDIENCE',
    ],
    [
      'two audiences, one of them right',
      claims({ aud: [fakeAudience, 'https://sts.googleapis.com'] }),
      'WRONG_AUDIENCE',
    ],
    ['no audience', claims({ aud: null }), 'WRONG_AUDIENCE'],
    ['the nonce of another run', claims({ eat_nonce: '00'.repeat(32) }), 'BINDING_MISMATCH'],
    [
      'two nonces, one of them right',
      claims({ eat_nonce: [toHex(nonce), '00'.repeat(32)] }),
      'BINDING_MISMATCH',
    ],
    ['no nonce', claims({ eat_nonce: null }), 'BINDING_MISMATCH'],
    ['its nonce in upper case', claims({ eat_nonce: toHex(nonce).toUpperCase() }), 'BINDING_MISMATCH'],
    ['report data in place of their nonce', claims({ eat_nonce: toHex(asked) }), 'BINDING_MISMATCH'],
    [
      'its nonce in a submod alone',
      both(claims({ eat_nonce: null }), container({ eat_nonce: toHex(nonce) })),
      'BINDING_MISMATCH',
    ],
    ['a debug image', claims({ dbgstat: 'enabled' }), 'DEBUG_ENABLED'],
    ['nothing said of debugging', claims({ dbgstat: null }), 'DEBUG_ENABLED'],
    ['another software', claims({ swname: 'GCE' }), 'IMAGE_NOT_PRODUCTION'],
    ['an image that is not stable', space({ support_attributes: ['USABLE'] }), 'IMAGE_NOT_PRODUCTION'],
    ['no attributes', space({ support_attributes: null }), 'IMAGE_NOT_PRODUCTION'],
    [
      'attributes at the outer level alone',
      both(space({ support_attributes: null }), claims({ support_attributes: ['STABLE'] })),
      'IMAGE_NOT_PRODUCTION',
    ],
    ['a shielded VM', claims({ hwmodel: 'GCP_SHIELDED_VM' }), 'POLICY'],
    ['hardware that the entry does not name', claims({ hwmodel: 'GCP_AMD_SEV' }), 'POLICY'],
    ['no secure boot', claims({ secboot: false }), 'POLICY'],
    ['secure boot in words', claims({ secboot: 'true' }), 'POLICY'],
    ['an older version', demand({ minimumImageVersion: 260901 }), 'POLICY'],
    [
      'two versions',
      both(claims({ swversion: ['260900', '260901'] }), demand({ minimumImageVersion: 1 })),
      'POLICY',
    ],
    ['memory that is monitored', space({ monitoring_enabled: { memory: true } }), 'POLICY'],
    ['nothing said of monitoring', space({ monitoring_enabled: {} }), 'POLICY'],
    ['arguments of the operator', container({ cmd_override: ['--leak'] }), 'POLICY'],
    [
      'other arguments than named',
      both(container({ cmd_override: ['b', '--a'] }), demand({ cmdOverride: ['--a', 'b'] })),
      'POLICY',
    ],
    ['no arguments where some are named', demand({ cmdOverride: ['--a'] }), 'POLICY'],
    ['arguments that are no list', container({ cmd_override: '--leak' }), 'MALFORMED'],
    ['a variable of the operator', container({ env_override: { NODE_OPTIONS: '--inspect' } }), 'POLICY'],
    ['a variable that is no text', container({ env_override: { A: 1 } }), 'MALFORMED'],
    ['another restart policy', container({ restart_policy: 'Always' }), 'POLICY'],
    ['no restart policy', container({ restart_policy: null }), 'POLICY'],
    ['another project', demand({ projects: ['project-2'] }), 'POLICY'],
    [
      'a further account',
      both(claims({ google_service_accounts: ['a', 'b'] }), demand({ serviceAccounts: ['a'] })),
      'POLICY',
    ],
    [
      'no account where some are named',
      both(claims({ google_service_accounts: [] }), demand({ serviceAccounts: ['a'] })),
      'POLICY',
    ],
    ['no digest of its image', container({ image_digest: 'latest' }), 'MALFORMED'],
    ['TDX out of date', both(tdx, status('OutOfDate')), 'TCB_OUT_OF_DATE'],
    ['TDX revoked', both(tdx, status('Revoked')), 'REVOKED'],
    ['TDX of which nothing is said', both(tdx, status(null)), 'TCB_NOT_UP_TO_DATE'],
    [
      'an entry for another TEE',
      (item) => (item.entry = { tee: 'nitro', measurement: ['1d'.repeat(48)], maximumAgeSeconds: 300 }),
      'TEE_MISMATCH',
    ],
  ])('is refused with %s', async (_name, change, code) => {
    expect((await refusalOf(() => verify(change))).code).toBe(code)
  })

  it('ends in a code for any claims that the service signs', async () => {
    const base = fakeConfidentialSpace(nonce)
    const submods = base['submods'] as FakeClaims
    const anywhere = fc.oneof(
      fc
        .tuple(fc.constantFrom(...Object.keys(base)), fc.jsonValue())
        .map(([name, value]) => claims({ [name]: value as JsonValue })),
      fc
        .tuple(fc.constantFrom(...Object.keys(submods['container'] as object)), fc.jsonValue())
        .map(([name, value]) => container({ [name]: value as JsonValue })),
    )
    await fc.assert(
      fc.asyncProperty(anywhere, async (change) => {
        await verify(change).catch((error: unknown) => {
          expect(error).toBeInstanceOf(CodedError)
        })
      }),
      { numRuns: slow ? 5000 : 300 },
    )
  })
})
