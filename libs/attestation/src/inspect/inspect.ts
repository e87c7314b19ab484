/**
 * What evidence says, in words, read and NOT verified: anyone can write such bytes. For people who choose reference values or ask
 * why something was refused. Nothing may be released on what stands here.
 */
import { fromUtf8, toHex, type JsonValue } from '#libs/canonical'
import { parseCoseSign1 } from '../cbor/cose-sign1.js'
import { parseQuote } from '../dcap/quote.js'
import { AttestationError } from '../errors.js'
import { parseNitroDocument, parseNitroPayload } from '../nitro/document.js'
import { parseNrasBundle } from '../nras/bundle.js'
import { unverifiedAzureFacts, unverifiedHclFacts } from './unverified-azure.js'
import { unverifiedMaaFacts, unverifiedSpaceFacts } from './unverified-service.js'
import { unverifiedTdFacts } from './unverified-td.js'
import { unverifiedGpuFacts } from './unverified-gpu.js'
import { unverifiedSnpFacts } from './unverified-snp.js'
import { unverifiedTokenFacts } from './unverified-token.js'
import { detectEvidence, type DetectedEvidence, type InspectedKind } from './detect.js'

/** What evidence says of itself. */
export interface UnverifiedInspection {
  readonly kind: InspectedKind
  /** What it is, for people. */
  readonly title: string
  readonly unverifiedFacts: Readonly<Record<string, JsonValue>>
  /** What would make a careful owner stop. */
  readonly warnings: readonly string[]
}

/** Facts with warnings, of one kind. */
export type UnverifiedFacts = Pick<UnverifiedInspection, 'unverifiedFacts' | 'warnings'>

const titles: Readonly<Record<InspectedKind, string>> = {
  'sev-snp': 'report of AMD SEV-SNP',
  tdx: 'quote of an Intel TDX guest',
  sgx: 'quote of an Intel SGX enclave; no run accepts this kind',
  'hcl-report': 'report of the paravisor of an Azure confidential VM',
  'az-snp-vtpm': 'evidence of an Azure confidential VM on AMD SEV-SNP with its vTPM',
  'az-tdx-vtpm': 'evidence of an Azure confidential VM on Intel TDX with its vTPM',
  nitro: 'document of an AWS Nitro enclave',
  'nvidia-gpu': 'measurements of NVIDIA GPUs',
  nras: "result of NVIDIA's attestation service",
  'maa-snp': 'token of Microsoft Azure Attestation about AMD SEV-SNP',
  'maa-tdx': 'token of Microsoft Azure Attestation about Intel TDX',
  'gcp-cs': 'token of Google Confidential Space',
  token: 'token of an attestation service',
}

/**
 * Reads evidence of the kind that its bytes show, or of the kind given.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`, `ALGORITHM`, `WRONG_TYPE`, `EVIDENCE_TOO_LARGE`, `QUOTE_MISSING`.
 */
export function inspectUnverified(bytes: Uint8Array, given?: InspectedKind): UnverifiedInspection {
  const found = given === undefined ? detectEvidence(bytes) : { kind: given, bytes }
  return { kind: found.kind, title: titles[found.kind], ...factsOf(found) }
}

function factsOf({ kind, bytes }: DetectedEvidence): UnverifiedFacts {
  switch (kind) {
    case 'sev-snp':
      return unverifiedSnpFacts(bytes)
    case 'tdx':
      return unverifiedTdFacts(parseQuote(bytes, 'tdx'))
    case 'sgx':
      return sgxFacts(bytes)
    case 'hcl-report':
      return unverifiedHclFacts(bytes)
    case 'az-snp-vtpm':
    case 'az-tdx-vtpm':
      return unverifiedAzureFacts(bytes)
    case 'nitro':
      return nitroFacts(bytes)
    case 'nvidia-gpu':
      return unverifiedGpuFacts(bytes)
    case 'nras':
      return nrasFacts(bytes)
    case 'maa-snp':
    case 'maa-tdx':
      return unverifiedMaaFacts(kind, fromUtf8(bytes).trim())
    case 'gcp-cs':
      return unverifiedSpaceFacts(fromUtf8(bytes).trim())
    case 'token':
      return unverifiedTokenFacts(fromUtf8(bytes).trim())
  }
}

function sgxFacts(bytes: Uint8Array): UnverifiedFacts {
  const { version, body } = parseQuote(bytes, 'sgx')
  const isDebug = ((body.attributes[0] ?? 0) & 2) !== 0
  return {
    unverifiedFacts: {
      quoteVersion: version,
      mrEnclave: toHex(body.mrEnclave),
      mrSigner: toHex(body.mrSigner),
      isvProdId: body.isvProdId,
      isvSvn: body.isvSvn,
      debug: isDebug,
      reportData: toHex(body.reportData),
    },
    warnings: isDebug ? ['DEBUG is set: the host can read the memory of the enclave'] : [],
  }
}

function nitroFacts(bytes: Uint8Array): UnverifiedFacts {
  const document = parseNitroDocument(parseNitroPayload(parseCoseSign1(bytes, 'Nitro document').payload))
  const pcrs = [...document.pcrs].map(([index, value]) => [`pcr${index}`, toHex(value)] as const)
  const isDebug = document.pcrs.get(0)?.every((byte) => byte === 0) === true
  return {
    unverifiedFacts: {
      moduleId: document.moduleId,
      madeAt: new Date(document.timestamp).toISOString(),
      userData: document.userData === null ? null : toHex(document.userData),
      nonce: document.nonce === null ? null : toHex(document.nonce),
      ...Object.fromEntries(pcrs),
    },
    warnings: isDebug ? ['PCR0 is zero: a debug enclave, whose console the host reads'] : [],
  }
}

function nrasFacts(bytes: Uint8Array): UnverifiedFacts {
  const { overall, devices } = parseNrasBundle(bytes)
  const { unverifiedFacts, warnings } = unverifiedTokenFacts(overall)
  if (devices.size === 0)
    throw new AttestationError('MALFORMED', 'NRAS bundle: no device in it', {
      stage: 'parse',
      field: 'devices',
    })
  return { unverifiedFacts: { ...unverifiedFacts, devices: [...devices.keys()] }, warnings }
}
