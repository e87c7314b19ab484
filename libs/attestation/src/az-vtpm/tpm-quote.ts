/**
 * Quotes of a TPM 2.0 (TCG TPM 2.0 library, part 2, TPMS_ATTEST): that its platform configuration registers
 * have certain values, for a caller's nonce. Big-endian, unlike everything else here.
 */
import { concatBytes, toHex } from '#libs/canonical'
import { ByteReader } from '../bytes/byte-reader.js'
import { AttestationError, type EvidenceRefusal } from '../errors.js'
import { sha256Hex } from '../x509/signature.node.js'

/** A quote with its signature and, where they came with it, the values of registers: bytes from anyone. */
export interface TpmQuote {
  readonly message: Uint8Array
  readonly signature: Uint8Array
  /** SHA-256 bank. Null: none came with the quote, so that only their digest is known. */
  readonly pcrs: readonly Uint8Array[] | null
}

/** What a TPM states in a quote. */
export interface TpmStatement {
  /** The caller's nonce. */
  readonly extraData: Uint8Array
  /** Indices of the registers that the digest covers, ascending. */
  readonly selected: readonly number[]
  readonly pcrDigest: Uint8Array
}

const generated = 0xff54_4347
const attestQuote = 0x8018
const sha256 = 0x000b
const registers = 24

/**
 * Reads the message of a quote.
 * @throws AttestationError `MALFORMED`, `WRONG_TYPE`, `ALGORITHM`, `TRAILING_DATA`.
 */
export function parseTpmStatement(message: Uint8Array): TpmStatement {
  const reader = new ByteReader(message, 'TPM quote')
  // What a TPM makes itself begins so; it signs nothing from outside that does.
  if (reader.uintBe(4, 'magic') !== generated) throw refused('MALFORMED', 'magic', 'no TPM generated it')
  const type = reader.uintBe(2, 'type')
  if (type !== attestQuote) throw refused('WRONG_TYPE', 'type', `it is ${type}; expected a quote`)
  sized(reader, 'qualifiedSigner')
  const extraData = sized(reader, 'extraData')
  reader.take(17, 'clockInfo')
  reader.take(8, 'firmwareVersion')
  const banks = reader.uintBe(4, 'pcrSelect')
  if (banks !== 1) throw refused('MALFORMED', 'pcrSelect', `${banks} banks; expected 1`)
  const bank = reader.uintBe(2, 'pcrSelect hash')
  if (bank !== sha256) throw refused('ALGORITHM', 'pcrSelect', `bank ${bank}; expected that of SHA-256`)
  const selected = bitsOf(reader.take(reader.uintBe(1, 'sizeofSelect'), 'pcrSelect'))
  const pcrDigest = sized(reader, 'pcrDigest')
  reader.end()
  return { extraData, selected, pcrDigest }
}

/** Values of registers by number. */
export type Registers = ReadonlyMap<number, Uint8Array>

/**
 * The register values that the digest covers, out of all 24 of the bank or just the selected ones. Says nothing about registers that the quote
 * does not select.
 * @throws AttestationError `MALFORMED`, `BINDING_MISMATCH` where they are not those which were quoted.
 */
export function quotedRegisters(
  { selected, pcrDigest }: TpmStatement,
  pcrs: readonly Uint8Array[],
): Registers {
  const covered = selectRegisters(selected, pcrs)
  if (sha256Hex(concatBytes(...covered.values())) !== toHex(pcrDigest))
    throw refused('BINDING_MISMATCH', 'pcrDigest', 'the values are not those which the TPM quoted')
  return covered
}

/**
 * The values that belong to the registers selected, out of all 24 or just those. Whether they were quoted: see {@link quotedRegisters}.
 * @throws AttestationError `MALFORMED`.
 */
export function selectRegisters(selected: readonly number[], pcrs: readonly Uint8Array[]): Registers {
  if (pcrs.length !== registers && pcrs.length !== selected.length)
    throw refused('MALFORMED', 'PCRs', `${pcrs.length} values; expected ${registers} or ${selected.length}`)
  if (pcrs.some(({ length }) => length !== 32)) throw refused('MALFORMED', 'PCRs', 'a value without 32 bytes')
  const covered = pcrs.length === registers ? pcrs.filter((_, index) => selected.includes(index)) : pcrs
  return new Map(
    selected.flatMap((index, at) => {
      const value = covered[at]
      return value === undefined ? [] : [[index, value] as const]
    }),
  )
}

function sized(reader: ByteReader, field: string): Uint8Array {
  return reader.take(reader.uintBe(2, field), field)
}

function bitsOf(mask: Uint8Array): readonly number[] {
  if (mask.length > registers / 8) throw refused('MALFORMED', 'pcrSelect', `${mask.length} bytes`)
  return Array.from({ length: mask.length * 8 }, (_, n) => n).filter(
    (n) => ((mask[n >> 3] ?? 0) & (1 << (n & 7))) !== 0,
  )
}

function refused(code: EvidenceRefusal, field: string, why: string): AttestationError {
  return new AttestationError(code, `TPM quote: ${field}: ${why}`, { stage: 'authenticate', field })
}
