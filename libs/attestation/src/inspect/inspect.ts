/**
 * What evidence says, in words, read and NOT verified: anyone can write such bytes. For people who choose reference values or ask
 * why something was refused. Nothing may be released on what stands here.
 */
import { fromUtf8, toHex, type JsonValue } from '#libs/canonical'
import { parseHclReport } from '../az-vtpm/hcl-report.js'
import { readAzureFiles } from '../az-vtpm/evidence-forms.js'
import { parseTpmStatement } from '../az-vtpm/tpm-quote.js'
import { parseCoseSign1 } from '../cbor/cose-sign1.js'
import { parseQuote } from '../dcap/quote.js'
import { AttestationError } from '../errors.js'
import { parseNitroDocument, parseNitroPayload } from '../nitro/document.js'
import { parseNrasBundle } from '../nras/bundle.js'
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
  'az-vtpm': 'evidence of an Azure confidential VM with its vTPM',
  nitro: 'document of an AWS Nitro enclave',
  'nvidia-gpu': 'measurements of NVIDIA GPUs',
  nras: "result of NVIDIA's attestation service",
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
      return hclFacts(bytes)
    case 'az-vtpm':
      return azureFacts(bytes)
    case 'nitro':
      return nitroFacts(bytes)
    case 'nvidia-gpu':
      return unverifiedGpuFacts(bytes)
    case 'nras':
      return nrasFacts(bytes)
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

function hclFacts(bytes: Uint8Array): UnverifiedFacts {
  // Bytes 1224 to 1227 say which hardware the report is of.
  const hardware = bytes[1224] === 4 ? 'tdx' : 'sev-snp'
  const { hardwareReport, runtimeData } = parseHclReport(bytes, hardware)
  const beside: Readonly<Record<string, JsonValue>> = { hardware, runtimeDataBytes: runtimeData.length }
  if (hardware === 'tdx') return { unverifiedFacts: beside, warnings: [] }
  const { unverifiedFacts, warnings } = unverifiedSnpFacts(hardwareReport)
  return { unverifiedFacts: { ...beside, ...unverifiedFacts }, warnings }
}

function azureFacts(bytes: Uint8Array): UnverifiedFacts {
  const { hcl, tpmQuote, vek, tdQuote } = readAzureFiles({ evidenceJson: bytes })
  const { unverifiedFacts, warnings } = hclFacts(hcl)
  const statement = tpmQuote === null ? null : parseTpmStatement(tpmQuote.message)
  return {
    unverifiedFacts: {
      ...unverifiedFacts,
      nonce: statement === null ? null : toHex(statement.extraData),
      pcrs: statement === null ? [] : [...statement.selected],
      pcrDigest: statement === null ? null : toHex(statement.pcrDigest),
      certificateIncluded: vek !== null,
      tdQuoteIncluded: tdQuote !== null,
    },
    warnings:
      statement === null ? [...warnings, 'no TPM quote: nothing shows when it was made'] : [...warnings],
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
