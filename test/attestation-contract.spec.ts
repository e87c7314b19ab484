import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { parseReferenceValues } from '#libs/attestation'
import { enclaveSchema } from '../libs/contract/src/terms/enclaves.js'
import { mutated } from './fuzz/coded-only.js'
import { slow } from '#libs/testing'

// The contract says what people sign, attestation what a verifier is given: two readers of one JSON, neither of which
// imports the other. An entry that one takes and the other does not would be signed and never met, or met and never signed.
const hex = (bytes: number, byte = 'ab') => byte.repeat(bytes)
const gpu = { model: 'hopper', driver: ['550.90.07'], vbios: ['96.00.74.00.1A'], devices: 2 }
const entries: Readonly<Record<string, Record<string, unknown>>> = {
  'a simulated enclave': {
    tee: 'simulated',
    key: 's'.repeat(42) + 'A',
    measurement: [hex(32)],
    maximumAgeSeconds: 300,
  },
  'SEV-SNP, the least': {
    tee: 'sev-snp',
    measurement: [hex(48)],
    minimumTcb: { bootloader: 3, tee: 0, snp: 8, microcode: 115 },
    maximumAgeSeconds: 300,
    generations: ['milan'],
  },
  'SEV-SNP, all': {
    tee: 'sev-snp',
    measurement: [hex(48), hex(48, 'cd')],
    minimumTcb: { bootloader: 3, tee: 0, snp: 8, microcode: 115, fmc: 1 },
    maximumAgeSeconds: 86_400,
    generations: ['genoa', 'turin'],
    chips: [hex(64)],
    providers: ['azure'],
    hostData: [hex(32)],
    familyId: [hex(16)],
    imageId: [hex(16)],
    idKeyDigest: [hex(48)],
    authorKeyDigest: [hex(48)],
    refusedChips: [hex(64, 'ef')],
    vmpl: [0, 3],
    minimumGuestSvn: 7,
    smt: 'allowed',
    cxl: 'allowed',
    waivedProtections: [
      'singleSocket',
      'aes256Xts',
      'raplDisabled',
      'ciphertextHiding',
      'pageSwapDisabled',
      'aliasCheck',
    ],
    gpu,
  },
  'Nitro, the least': { tee: 'nitro', measurement: [hex(48)], maximumAgeSeconds: 300 },
  'Nitro, all': {
    tee: 'nitro',
    measurement: [hex(48), hex(48, 'cd')],
    maximumAgeSeconds: 300,
    role: [hex(48)],
    instance: [hex(48)],
    signer: [hex(48)],
  },
  'Azure on SEV-SNP, the least': {
    tee: 'az-snp-vtpm',
    measurement: [hex(48)],
    minimumTcb: { bootloader: 3, tee: 0, snp: 8, microcode: 115 },
    maximumAgeSeconds: 300,
    generations: ['milan'],
  },
  'Azure on SEV-SNP, all': {
    tee: 'az-snp-vtpm',
    measurement: [hex(48)],
    minimumTcb: { bootloader: 3, tee: 0, snp: 8, microcode: 115 },
    maximumAgeSeconds: 300,
    generations: ['milan'],
    providers: ['azure'],
    ...Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`pcr${n}`, [hex(32), hex(32, 'cd')]])),
    waivedPcrs: [1, 3, 5, 6, 10, 14, 15],
    secureBoot: 'waived',
    console: 'allowed',
  },
  'Azure on TDX': {
    tee: 'az-tdx-vtpm',
    measurement: [hex(48)],
    minimumTcb: { evaluationDataNumber: 17 },
    maximumAgeSeconds: 300,
    pcr4: [hex(32)],
    waivedPcrs: [5],
  },
  'a token of Azure about SEV-SNP': {
    tee: 'maa-snp',
    measurement: [hex(48)],
    minimumTcb: { bootloader: 3, tee: 0, snp: 8, microcode: 115 },
    maximumAgeSeconds: 300,
    generations: ['genoa'],
    issuer: 'https://sharedeus.eus.attest.azure.net',
    keys: [hex(32), 'k'.repeat(42) + 'A'],
    policyHash: ['p'.repeat(42) + 'A'],
    compliance: ['azure-compliant-uvm'],
    nested: 'azurevm',
    guestCode: 'unmeasured',
  },
  'a token of Azure about TDX': {
    tee: 'maa-tdx',
    measurement: [hex(48)],
    maximumAgeSeconds: 300,
    issuer: 'https://service.example/instance',
    keys: ['k'.repeat(42) + 'A'],
    policyHash: ['p'.repeat(42) + 'A'],
    tcbStatus: ['OutOfDate'],
    rtmr1: [hex(48)],
    mrConfigId: [hex(48)],
    mrSeam: [hex(48)],
  },
  'Confidential Space, the least': {
    tee: 'gcp-cs',
    measurement: [hex(32)],
    maximumAgeSeconds: 300,
    audience: 'sealroom',
    keys: ['k'.repeat(42) + 'A'],
    hardware: ['GCP_INTEL_TDX'],
  },
  'Confidential Space, all': {
    tee: 'gcp-cs',
    measurement: [hex(32)],
    maximumAgeSeconds: 300,
    audience: 'https://sealroom.example',
    keys: ['k'.repeat(42) + 'A'],
    hardware: ['GCP_AMD_SEV', 'GCP_AMD_SEV_SNP'],
    cmdOverride: ['--coordinator', 'https://example.org'],
    envOverride: { A: 'b', C_1: '' },
    restartPolicy: ['Never', 'OnFailure'],
    memoryMonitoring: 'allowed',
    minimumImageVersion: 260900,
    tcbStatus: ['SWHardeningNeeded'],
    projects: ['project-1'],
    serviceAccounts: ['worker@example.iam.gserviceaccount.com'],
  },
  'TDX, the least': {
    tee: 'tdx',
    measurement: [hex(48)],
    minimumTcb: { evaluationDataNumber: 17 },
    maximumAgeSeconds: 1,
  },
  'TDX, all': {
    tee: 'tdx',
    measurement: [hex(48)],
    rtmr0: [hex(48)],
    rtmr1: [hex(48)],
    rtmr2: [hex(48)],
    rtmr3: [hex(48)],
    mrConfigId: [hex(48)],
    mrOwner: [hex(48)],
    mrOwnerConfig: [hex(48)],
    minimumTcb: { evaluationDataNumber: 17 },
    maximumAgeSeconds: 300,
    tcbStatus: ['SWHardeningNeeded', 'OutOfDate', 'OutOfDateConfigurationNeeded'],
    advisories: ['INTEL-SA-00837'],
    fmspc: [hex(6)],
    mrSeam: [hex(48)],
    septVe: 'enabled',
    gpu: { ...gpu, model: 'blackwell', devices: 1 },
  },
}

const neededBeside: Readonly<Record<string, readonly string[]>> = {
  simulated: ['key'],
  'sev-snp': ['minimumTcb', 'generations'],
  tdx: ['minimumTcb'],
  nitro: [],
  'az-snp-vtpm': ['minimumTcb', 'generations'],
  'az-tdx-vtpm': ['minimumTcb'],
  'maa-snp': ['minimumTcb', 'generations', 'issuer', 'keys', 'policyHash'],
  'maa-tdx': ['issuer', 'keys', 'policyHash'],
  'gcp-cs': ['audience', 'keys', 'hardware'],
}

function verdicts(entry: unknown): { contract: boolean; attestation: boolean } {
  let attestation = true
  try {
    parseReferenceValues(entry)
  } catch (error) {
    expect(error).toMatchObject({ code: 'REFERENCE_VALUES_INVALID' })
    attestation = false
  }
  return { contract: enclaveSchema.safeParse(entry).success, attestation }
}

describe('an `enclaves` entry of a contract', () => {
  it.each(Object.entries(entries))('is read by both: %s', (_name, entry) => {
    expect(verdicts(entry)).toEqual({ contract: true, attestation: true })
  })

  it.each(Object.entries(entries))('gives both the same values: %s', (_name, entry) => {
    expect(parseReferenceValues(entry)).toEqual(enclaveSchema.parse(entry))
  })

  it.each(Object.entries(entries))(
    'with anything changed is taken by both or by neither: %s',
    (_name, entry) => {
      fc.assert(
        fc.property(mutated(entry), (changed) => {
          const { contract, attestation } = verdicts(changed)
          expect(attestation).toBe(contract)
        }),
        { numRuns: slow ? 20_000 : 1000 },
      )
    },
  )

  it('without any one of its needed fields is taken by neither', () => {
    for (const entry of Object.values(entries))
      for (const needed of [
        'tee',
        'measurement',
        'maximumAgeSeconds',
        ...(neededBeside[String(entry['tee'])] ?? expect.fail('a kind of which nothing is needed')),
      ]) {
        const less = Object.fromEntries(Object.entries(entry).filter(([name]) => name !== needed))
        expect(verdicts(less)).toEqual({ contract: false, attestation: false })
      }
  })
})
