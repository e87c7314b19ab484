/** An Azure that puts any hardware report below any vTPM, and a vTPM that quotes whatever it is asked to. */
import { constants, createHash, generateKeyPairSync, sign } from 'node:crypto'
import { concatBytes, fromHex, toBase64url, toHex, utf8 } from '#libs/canonical'
import { littleEndian } from './little-endian.js'

/** A vTPM quote and HCL report before they are made. Change what you like. */
export interface AzureForgery {
  /** 2: SEV-SNP, 4: TDX. */
  reportType: number
  hashType: number
  /** Fields of the HCL header. */
  header: Uint8Array
  dataVersion: number
  /** 1184 bytes. */
  hardwareReport: Uint8Array
  runtime: Record<string, unknown>
  /** What follows the runtime data in the NV index. */
  padding: Uint8Array
  nonce: Uint8Array
  pcrs: Uint8Array[]
  /** Null: as it must be. */
  tpmMessage: ((fields: TpmFields) => void) | null
  scheme: 'raw' | 'rsassa' | 'rsapss'
  signer: FakeVtpmKey
}

/** Fields of a TPMS_ATTEST. */
export interface TpmFields {
  magic: Uint8Array
  type: Uint8Array
  bank: Uint8Array
  select: Uint8Array
  digest: Uint8Array
  after: Uint8Array
}

/** An attestation key of a vTPM. */
export type FakeVtpmKey = ReturnType<typeof makeVtpmKey>

/** A new RSA key. */
export function makeVtpmKey(bits = 2048) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
  return { privateKey, n, e }
}

/** What a VM hands over. */
export interface FakeAzureEvidence {
  readonly hcl: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly pcrs: readonly Uint8Array[]
}

/** A genuine VM, but for its hardware report, which is zero. */
export function draftAzure(reportType: 2 | 4, key: FakeVtpmKey): AzureForgery {
  return {
    reportType,
    hashType: 1,
    header: concatBytes(
      utf8('HCLA'),
      littleEndian(2, 4),
      littleEndian(2437, 4),
      littleEndian(2, 4),
      new Uint8Array(16),
    ),
    dataVersion: 1,
    hardwareReport: new Uint8Array(1184),
    runtime: {
      keys: [
        { kid: 'HCLAkPub', key_ops: ['sign'], kty: 'RSA', e: key.e, n: key.n },
        { kid: 'HCLEkPub', key_ops: ['encrypt'], kty: 'RSA', e: 'AQAB', n: 'AQAB' },
      ],
      'vm-configuration': { 'console-enabled': false, 'secure-boot': true, 'tpm-enabled': true },
      'user-data': '00'.repeat(64),
    },
    padding: new Uint8Array(163),
    nonce: utf8('a nonce'),
    pcrs: Array.from({ length: 24 }, (_, n) => new Uint8Array(32).fill(n)),
    tpmMessage: null,
    scheme: 'raw',
    signer: key,
  }
}

/** The runtime data as it will stand in the HCL report. */
export function runtimeData({ runtime }: AzureForgery): Uint8Array {
  return utf8(JSON.stringify(runtime))
}

/** The report data that vouches for the runtime data. */
export function runtimeReportData(forgery: AzureForgery): Uint8Array {
  const reportData = new Uint8Array(64)
  reportData.set(createHash('sha256').update(runtimeData(forgery)).digest())
  return reportData
}

/** Makes HCL report and quote. */
export function makeAzure(forgery: AzureForgery): FakeAzureEvidence {
  const { header, hardwareReport, dataVersion, reportType, hashType, padding, pcrs } = forgery
  const data = runtimeData(forgery)
  const numbers = [data.length + 20, dataVersion, reportType, hashType, data.length]
  const hcl = concatBytes(header, hardwareReport, ...numbers.map((n) => littleEndian(n, 4)), data, padding)
  const message = tpmMessage(forgery)
  return { hcl, message, signature: tpmSignature(forgery, message), pcrs }
}

/** The quote in bincode. */
export function bincodeQuote({ message, signature, pcrs }: FakeAzureEvidence): Uint8Array {
  const length = (n: number) => littleEndian(n, 8)
  return concatBytes(
    length(signature.length),
    signature,
    length(message.length),
    message,
    length(pcrs.length),
    ...pcrs,
  )
}

/** The quote as JSON of a later version. */
export function quoteJson({ message, signature, pcrs }: FakeAzureEvidence): Record<string, unknown> {
  return { message: toHex(message), signature: toHex(signature), pcrs: pcrs.map(toHex) }
}

/** All of it as JSON of the first version, in numbers, or of a later one. */
export function azureJson(
  evidence: FakeAzureEvidence,
  version: 0 | 1 | 2,
  hardware: { readonly vcekPem?: Uint8Array; readonly vcekDer?: Uint8Array; readonly tdQuote?: Uint8Array },
): Record<string, unknown> {
  const { hcl, message, signature, pcrs } = evidence
  const { vcekPem, vcekDer, tdQuote } = hardware
  if (version === 0)
    return {
      quote: { message: [...message], signature: [...signature], pcrs: pcrs.map((pcr) => [...pcr]) },
      report: [...hcl],
      ...(vcekPem === undefined ? {} : { vcek: new TextDecoder().decode(vcekPem) }),
      ...(tdQuote === undefined ? {} : { td_quote: [...tdQuote] }),
    }
  return {
    version,
    tpm_quote: quoteJson(evidence),
    hcl_report: toBase64url(hcl),
    ...(vcekDer === undefined ? {} : { vcek: toBase64url(vcekDer) }),
    ...(tdQuote === undefined ? {} : { td_quote: toBase64url(tdQuote) }),
  }
}

function tpmMessage({ nonce, pcrs, tpmMessage }: AzureForgery): Uint8Array {
  const fields: TpmFields = {
    magic: fromHex('ff544347'),
    type: fromHex('8018'),
    bank: fromHex('000b'),
    select: fromHex('ffffff'),
    digest: createHash('sha256')
      .update(concatBytes(...pcrs))
      .digest(),
    after: new Uint8Array(),
  }
  tpmMessage?.(fields)
  return concatBytes(
    fields.magic,
    fields.type,
    sized(new Uint8Array(34).fill(1)),
    sized(nonce),
    new Uint8Array(25),
    fromHex('00000001'),
    fields.bank,
    Uint8Array.of(fields.select.length),
    fields.select,
    sized(fields.digest),
    fields.after,
  )
}

function sized(bytes: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes)
}

function tpmSignature({ scheme, signer }: AzureForgery, message: Uint8Array): Uint8Array {
  const padding = scheme === 'rsapss' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST
  const options =
    scheme === 'rsapss'
      ? { key: signer.privateKey, padding, saltLength }
      : { key: signer.privateKey, padding }
  const value = sign('sha256', message, options)
  if (scheme === 'raw') return value
  return concatBytes(fromHex(scheme === 'rsassa' ? '0014' : '0016'), fromHex('000b'), sized(value))
}
