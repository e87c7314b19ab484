import { describe, expect, it } from 'vitest'
import type { JsonValue } from '#libs/canonical'
import { FakeTokenIssuer } from '#libs/testing'
import type { AttestationErrorCode } from '../errors.js'
import { parseKeySet } from '../token/key-set.node.js'
import type { EvidenceVerdict } from '../verdict.js'
import { judgeMaa } from './production.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const issuer = 'https://instance.attest.example'
const azure = new FakeTokenIssuer('RS256')
const keys = parseKeySet(azure.keySet())
type Claims = Record<string, JsonValue>

const judge = (claims: Claims): Promise<EvidenceVerdict> =>
  judgeMaa(azure.make(azure.draft(now, { iss: issuer, ...claims })), { at: now, issuer, keys })

const compliant = { 'x-ms-compliance-status': 'azure-compliant-cvm' }
const snp: Claims = {
  ...compliant,
  'x-ms-attestation-type': 'sevsnpvm',
  'x-ms-sevsnpvm-is-debuggable': false,
  'x-ms-sevsnpvm-migration-allowed': false,
  'x-ms-sevsnpvm-launchmeasurement': 'aa'.repeat(48),
  'x-ms-sevsnpvm-reportdata': 'bb'.repeat(64),
}
const tdx: Claims = {
  ...compliant,
  'x-ms-attestation-type': 'tdxvm',
  attester_tcb_status: 'UpToDate',
  dbgstat: 'disabled',
  tdx_td_attributes: '0000001000000000',
  tdx_td_attributes_debug: false,
  tdx_mrtd: 'cc'.repeat(48),
  tdx_report_data: 'dd'.repeat(64),
}
const nested = (inner: Claims, outer: Claims = {}): Claims => ({
  'x-ms-attestation-type': 'azurevm',
  'x-ms-isolation-tee': inner,
  'x-ms-runtime': { 'client-payload': { nonce: 'bm9uY2U=' } },
  ...outer,
})

describe('a token of the fake Azure', () => {
  it.each<[string, Claims, Claims]>([
    ['SNP', snp, { attestation_type: 'sevsnpvm', launch_measurement: 'aa'.repeat(48) }],
    ['TDX', tdx, { attestation_type: 'tdxvm', report_data: 'dd'.repeat(64), tcb_status: 'UpToDate' }],
    ['a guest on SNP', nested(snp), { attestation_type: 'azurevm', tee: 'sevsnpvm', nonce: 'bm9uY2U=' }],
    [
      'a guest on TDX',
      nested(tdx),
      { attestation_type: 'azurevm', tee: 'tdxvm', launch_measurement: 'cc'.repeat(48) },
    ],
  ])('is fit for production for %s', async (_name, claims, facts) => {
    expect(await judge(claims)).toMatchObject({ authentic: true, production: true, facts })
  })

  it.each<[string, Claims, AttestationErrorCode]>([
    ['an enclave of SGX', { ...compliant, 'x-ms-attestation-type': 'sgx' }, 'WRONG_TYPE'],
    ['a guest without a TEE', nested({}, { ...compliant }), 'WRONG_TYPE'],
    ['a guest with the claims of the TEE beside it', { ...snp, ...nested({}) }, 'WRONG_TYPE'],
    [
      'a guest that is compliant at the wrong level',
      nested({ ...snp, 'x-ms-compliance-status': null }, compliant),
      'IMAGE_NOT_PRODUCTION',
    ],
    [
      'SNP whose good claims are nested deeper',
      { 'x-ms-attestation-type': 'sevsnpvm', 'x-ms-isolation-tee': snp },
      'DEBUG_ENABLED',
    ],
    ['SNP that can be debugged', { ...snp, 'x-ms-sevsnpvm-is-debuggable': true }, 'DEBUG_ENABLED'],
    ['SNP of which that is not said', { ...snp, 'x-ms-sevsnpvm-is-debuggable': null }, 'DEBUG_ENABLED'],
    ['SNP that migrates', { ...snp, 'x-ms-sevsnpvm-migration-allowed': true }, 'MIGRATION_ALLOWED'],
    [
      'SNP of another compliance',
      { ...snp, 'x-ms-compliance-status': 'azure-compliant-uvm' },
      'IMAGE_NOT_PRODUCTION',
    ],
    ['TDX that can be debugged', { ...tdx, dbgstat: 'enabled' }, 'DEBUG_ENABLED'],
    ['TDX with the debug attribute', { ...tdx, tdx_td_attributes_debug: true }, 'DEBUG_ENABLED'],
    ['TDX with the debug bit alone', { ...tdx, tdx_td_attributes: '0100001000000000' }, 'DEBUG_ENABLED'],
    ['TDX with the migratable bit', { ...tdx, tdx_td_attributes: '0000002000000000' }, 'MIGRATION_ALLOWED'],
    ['TDX that migrates', { ...tdx, tdx_td_attributes_migratable: true }, 'MIGRATION_ALLOWED'],
    ['TDX with a reserved bit', { ...tdx, tdx_td_attributes: '0001001000000000' }, 'RESERVED_BITS'],
    ['TDX without attributes', { ...tdx, tdx_td_attributes: null }, 'MALFORMED'],
    ['TDX out of date', { ...tdx, attester_tcb_status: 'OutOfDate' }, 'TCB_OUT_OF_DATE'],
    [
      'TDX in need of configuration',
      { ...tdx, attester_tcb_status: 'ConfigurationNeeded' },
      'TCB_NOT_UP_TO_DATE',
    ],
    ['TDX revoked', { ...tdx, attester_tcb_status: 'Revoked' }, 'REVOKED'],
    [
      'a guest that was booted for debugging',
      nested(snp, { 'x-ms-azurevm-bootdebug-enabled': true }),
      'DEBUG_ENABLED',
    ],
    ['a guest with a debugger', nested(snp, { 'x-ms-azurevm-debuggersdisabled': false }), 'DEBUG_ENABLED'],
  ])('is genuine and refused for %s', async (_name, claims, code) => {
    expect(await judge(claims)).toMatchObject({ authentic: true, production: false, refusal: code })
  })
})
