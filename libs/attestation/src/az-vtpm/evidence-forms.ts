/**
 * The forms in which evidence of Azure confidential VMs is exchanged: one JSON document, of which there have
 * been several versions, or separate files. A file given beside the document takes the place of what is in
 * it.
 */
import { z } from 'zod'
import { CodedError, fromBase64, fromHex, utf8 } from '#libs/canonical'
import { ByteReader } from '../bytes/byte-reader.js'
import { AttestationError } from '../errors.js'
import { parseForeignJson } from '../json/foreign-json.js'
import type { TpmQuote } from './tpm-quote.js'

/** Evidence as files; each may be absent. */
export interface AzureFiles {
  readonly evidenceJson?: Uint8Array | undefined
  readonly hcl?: Uint8Array | undefined
  /** TPM quote in bincode. */
  readonly quote?: Uint8Array | undefined
  readonly tpmQuoteJson?: Uint8Array | undefined
  /** Message and signature of a TPM quote, without registers. */
  readonly msg?: Uint8Array | undefined
  readonly sig?: Uint8Array | undefined
  /** SNP: VCEK, the chain to AMD's root, and AMD's revocation list where one is at hand. */
  readonly vek?: Uint8Array | undefined
  readonly chain?: Uint8Array | undefined
  readonly crl?: Uint8Array | undefined
  /** TDX: the quote of the TD, and the JSON file of its collateral. */
  readonly tdQuote?: Uint8Array | undefined
  readonly collateral?: Uint8Array | undefined
}

/** The parts that the forms have in common. */
export interface AzureEvidence {
  readonly hcl: Uint8Array
  /** Null: none, so that nothing shows when the evidence was made. */
  readonly tpmQuote: TpmQuote | null
  readonly vek: Uint8Array | null
  readonly tdQuote: Uint8Array | null
}

/**
 * Puts together what the files hold.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`, `QUOTE_MISSING`.
 */
export function readAzureFiles(files: AzureFiles): AzureEvidence {
  const document = files.evidenceJson === undefined ? {} : parseDocument(files.evidenceJson)
  const hcl = files.hcl ?? document.hcl
  if (hcl === undefined) throw refused('QUOTE_MISSING', 'hcl', 'there is no HCL report')
  return {
    hcl,
    tpmQuote: readTpmQuote(files) ?? document.tpmQuote ?? null,
    vek: files.vek ?? document.vek ?? null,
    tdQuote: files.tdQuote ?? document.tdQuote ?? null,
  }
}

function readTpmQuote({ quote, tpmQuoteJson, msg, sig }: AzureFiles): TpmQuote | undefined {
  if (quote !== undefined) return parseBincodeQuote(quote)
  if (tpmQuoteJson !== undefined) return quoteOf(tpmQuoteSchema, parseForeignJson(tpmQuoteJson, 'TPM quote'))
  if (msg === undefined && sig === undefined) return undefined
  if (msg === undefined || sig === undefined)
    throw refused('QUOTE_MISSING', 'quote', 'a TPM quote is a message and a signature; one of them is absent')
  return { message: msg, signature: sig, pcrs: null }
}

const maximumPcrs = 24

/** Reads `u64 length, signature, u64 length, message, u64 count, 32 bytes each`, little-endian. */
export function parseBincodeQuote(bytes: Uint8Array): TpmQuote {
  const reader = new ByteReader(bytes, 'TPM quote')
  const signature = reader.take(lengthOf(reader, 'signature', reader.remaining), 'signature')
  const message = reader.take(lengthOf(reader, 'message', reader.remaining), 'message')
  const count = lengthOf(reader, 'PCRs', maximumPcrs)
  const pcrs = Array.from({ length: count }, (_, n) => reader.take(32, `PCR ${n}`))
  reader.end()
  return { signature, message, pcrs }
}

function lengthOf(reader: ByteReader, field: string, maximum: number): number {
  const length = reader.u64Le(`${field} length`)
  if (length > BigInt(maximum)) throw refused('MALFORMED', field, `its length is ${length}`)
  return Number(length)
}

// Versions differ in how they write bytes: numbers in the first, then hexadecimal, base64url or base64.
const bytes = z.union([
  z.array(z.int().min(0).max(255)).transform((numbers) => Uint8Array.from(numbers)),
  z.string().transform((text, context) => {
    try {
      return fromText(text)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      context.addIssue({ code: 'custom', message: 'neither hexadecimal nor base64' })
      return z.NEVER
    }
  }),
])

function fromText(text: string): Uint8Array {
  if (text.startsWith('-----BEGIN ')) return utf8(text)
  const hex = text.replace(/^0x/i, '')
  if (/^(?:[0-9a-fA-F]{2})*$/.test(hex)) return fromHex(hex.toLowerCase())
  const plain = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '')
  return fromBase64(plain + '='.repeat((4 - (plain.length % 4)) % 4))
}

const tpmQuoteSchema = z.looseObject({
  signature: bytes,
  message: bytes,
  pcrs: z.array(bytes).max(maximumPcrs),
})
const documentSchema = z.looseObject({
  version: z.int().min(0).max(2).optional(),
  tpm_quote: tpmQuoteSchema.optional(),
  quote: tpmQuoteSchema.optional(),
  hcl_report: bytes.optional(),
  report: bytes.optional(),
  vcek: bytes.nullish(),
  td_quote: bytes.nullish(),
})
const wrapped = z.looseObject({ platform: z.string(), evidence: z.looseObject({}) })

interface AzureDocument {
  readonly hcl?: Uint8Array | undefined
  readonly tpmQuote?: TpmQuote | undefined
  readonly vek?: Uint8Array | undefined
  readonly tdQuote?: Uint8Array | undefined
}

const maximumDocumentLength = 1_048_576

function parseDocument(file: Uint8Array): AzureDocument {
  if (file.length > maximumDocumentLength)
    throw refused('MALFORMED', 'evidence', `${file.length} bytes; at most ${maximumDocumentLength}`)
  const json = parseForeignJson(file, 'evidence')
  const wrapper = wrapped.safeParse(json)
  const result = documentSchema.safeParse(wrapper.success ? wrapper.data.evidence : json)
  if (!result.success) {
    const field = result.error.issues[0]?.path.join('.') ?? ''
    throw refused('MALFORMED', field || 'evidence', 'it is not as it must be', result.error)
  }
  const { tpm_quote, quote, hcl_report, report, vcek, td_quote } = result.data
  return {
    hcl: hcl_report ?? report,
    tpmQuote: tpm_quote ?? quote,
    vek: vcek ?? undefined,
    tdQuote: td_quote ?? undefined,
  }
}

function quoteOf(schema: typeof tpmQuoteSchema, json: unknown): TpmQuote {
  const result = schema.safeParse(json)
  if (!result.success)
    throw refused('MALFORMED', 'TPM quote', 'it has no signature, message and PCRs', result.error)
  return result.data
}

function refused(
  code: 'MALFORMED' | 'QUOTE_MISSING',
  field: string,
  why: string,
  cause?: unknown,
): AttestationError {
  return new AttestationError(code, `Azure evidence: ${field}: ${why}`, { stage: 'parse', field, cause })
}
