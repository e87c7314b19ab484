/** Claims of tokens of attestation services about good machines, to be changed before they are signed. */
import { toBase64, toHex, utf8, type JsonValue } from '#libs/canonical'

/** Claims by name. */
export type FakeClaims = Record<string, JsonValue>

/** The `iss` of the fake Azure's instance. */
export const fakeMaaIssuer = 'https://instance.attest.example'

/** The hash of its policy. */
export const fakeMaaPolicyHash = 'P'.repeat(42) + 'A'

const azure: FakeClaims = {
  iss: fakeMaaIssuer,
  'x-ms-compliance-status': 'azure-compliant-cvm',
  'x-ms-policy-hash': fakeMaaPolicyHash,
  'x-ms-ver': '1.0',
}

const runtimeOf = (reportData: Uint8Array): FakeClaims => ({
  keys: [],
  'user-data': toHex(reportData).toUpperCase(),
})

/** A guest on SEV-SNP, with 64 bytes of report data in its runtime data. */
export function fakeMaaSnp(reportData: Uint8Array): FakeClaims {
  return {
    ...azure,
    'x-ms-attestation-type': 'sevsnpvm',
    'x-ms-runtime': runtimeOf(reportData),
    ...Object.fromEntries(Object.entries(snp).map(([name, value]) => [`x-ms-sevsnpvm-${name}`, value])),
  }
}

const snp: FakeClaims = {
  launchmeasurement: '3e'.repeat(48),
  reportdata: '00'.repeat(64),
  'is-debuggable': false,
  'migration-allowed': false,
  'smt-allowed': false,
  vmpl: 0,
  guestsvn: 7,
  'bootloader-svn': 4,
  'tee-svn': 1,
  'snpfw-svn': 24,
  'microcode-svn': 219,
  hostdata: 'ab'.repeat(32),
  familyId: '00'.repeat(16),
  imageId: '00'.repeat(16),
  idkeydigest: '00'.repeat(48),
  authorkeydigest: '00'.repeat(48),
  'chip-family': 'Genoa',
  chipid: 'c1'.repeat(64),
  singlesocket: false,
  'cxl-allowed': false,
  'mem-aes256-xts-required': false,
  'rapl-disabled': false,
  'ciphertext-hiding-dram-enabled': false,
  'page-swap-disabled': false,
}

/** A guest on TDX. */
export function fakeMaaTdx(reportData: Uint8Array): FakeClaims {
  return {
    ...azure,
    'x-ms-attestation-type': 'tdxvm',
    'x-ms-runtime': runtimeOf(reportData),
    attester_tcb_status: 'UpToDate',
    dbgstat: 'disabled',
    tdx_td_attributes: '0000001000000000',
    tdx_td_attributes_debug: false,
    tdx_td_attributes_septve_disable: true,
    tdx_xfam: 'e700060000000000',
    tdx_mrtd: 'd1'.repeat(48),
    tdx_rtmr0: '00'.repeat(48),
    tdx_rtmr1: '00'.repeat(48),
    tdx_rtmr2: '00'.repeat(48),
    tdx_rtmr3: '00'.repeat(48),
    tdx_mrconfigid: 'cf'.repeat(48),
    tdx_mrowner: '00'.repeat(48),
    tdx_mrownerconfig: '00'.repeat(48),
    tdx_mrseam: '5e'.repeat(48),
    tdx_mrsignerseam: '00'.repeat(48),
    tdx_seam_attributes: '00'.repeat(8),
    tdx_report_data: '00'.repeat(64),
  }
}

/** The guest's own token, which nests one of the above and carries a nonce of 32 bytes. */
export function fakeMaaNested(hardware: FakeClaims, nonce: Uint8Array): FakeClaims {
  return {
    iss: fakeMaaIssuer,
    'x-ms-policy-hash': fakeMaaPolicyHash,
    'x-ms-attestation-type': 'azurevm',
    'x-ms-isolation-tee': hardware,
    'x-ms-runtime': { 'client-payload': { nonce: toBase64(utf8(toHex(nonce))) }, keys: [] },
    secureboot: true,
    'x-ms-azurevm-bootdebug-enabled': false,
    'x-ms-azurevm-debuggersdisabled': true,
  }
}

/** The audience that the fake workload asks for. */
export const fakeAudience = 'sealroom'

/** A workload in Confidential Space with a nonce of 32 bytes. */
export function fakeConfidentialSpace(nonce: Uint8Array): FakeClaims {
  return {
    iss: 'https://confidentialcomputing.googleapis.com',
    aud: fakeAudience,
    eat_nonce: toHex(nonce),
    secboot: true,
    oemid: 11129,
    hwmodel: 'GCP_AMD_SEV_SNP',
    swname: 'CONFIDENTIAL_SPACE',
    swversion: ['260900'],
    dbgstat: 'disabled-since-boot',
    submods: {
      confidential_space: {
        support_attributes: ['LATEST', 'STABLE', 'USABLE'],
        monitoring_enabled: { memory: false },
      },
      container: {
        image_reference: 'registry.example/worker:1',
        image_digest: `sha256:${'1d'.repeat(32)}`,
        restart_policy: 'Never',
        args: ['/worker'],
        env: { PATH: '/bin' },
      },
      gce: { zone: 'a', project_id: 'project-1', project_number: '1', instance_name: 'i', instance_id: '2' },
    },
    google_service_accounts: ['worker@project-1.example'],
  }
}
