/**
 * TDATTRIBUTES and XFAM (Intel TDX module ABI, TD_ATTRIBUTES and XFAM): what a TD may be subjected to, and
 * which features of the CPU it uses. A bit that nobody has given a meaning could mean anything tomorrow.
 */

/** What the attributes say. */
export interface TdAttributes {
  /** Bit 0: the host can read and change the TD. */
  readonly debug: boolean
  /** Bit 28: the TD is not interrupted where the host takes pages away, which attacks on it need. */
  readonly septVeDisable: boolean
  /** Bit 29: the TD can be moved to another machine. */
  readonly migratable: boolean
  /** Bits without a meaning, of both fields, as `TDATTRIBUTES bit 5`; empty in every genuine TD. */
  readonly reserved: readonly string[]
}

const bit = (n: number): bigint => 1n << BigInt(n)
const debug = bit(0)
const septVeDisable = bit(28)
const migratable = bit(29)
/** LASS, PKS, key locker and performance counters: features of the TD's own. */
const features = bit(27) | bit(30) | bit(31) | bit(63)
const knownAttributes = debug | septVeDisable | migratable | features
/** x87, SSE, AVX, AVX-512, PT, PKRU, CET, UINTR, LBR and AMX: what the module lets TDs have. */
const knownFeatures = 0x6_dbe7n
/** x87 and SSE, which every TD has. */
const neededFeatures = 0x3n

/** Reads both fields, 8 bytes each. */
export function readTdAttributes(tdAttributes: Uint8Array, xfam: Uint8Array): TdAttributes {
  const attributes = littleEndian(tdAttributes)
  const features = littleEndian(xfam)
  return {
    debug: (attributes & debug) !== 0n,
    septVeDisable: (attributes & septVeDisable) !== 0n,
    migratable: (attributes & migratable) !== 0n,
    reserved: [
      ...bitsOf(attributes & ~knownAttributes, 'TDATTRIBUTES bit'),
      ...bitsOf(features & ~knownFeatures, 'XFAM bit'),
      ...bitsOf(neededFeatures & ~features, 'XFAM without bit'),
    ],
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n)
}

function bitsOf(mask: bigint, name: string): string[] {
  return Array.from({ length: 64 }, (_, n) => n)
    .filter((n) => (mask & bit(n)) !== 0n)
    .map((n) => `${name} ${n}`)
}
