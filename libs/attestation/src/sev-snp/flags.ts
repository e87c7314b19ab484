/** The bits of an SNP report: what the guest's owner asked of the firmware, and how the platform runs (AMD 56860, tables 9 and 22). */

/** Guest policy: chosen at launch, enforced by the firmware. */
export interface GuestPolicy {
  /** The lowest firmware interface that may run the guest. */
  readonly abi: { readonly major: number; readonly minor: number }
  readonly smtAllowed: boolean
  /** A migration agent may move the guest, and so decide where its memory goes. */
  readonly migrationAgent: boolean
  /** The host may read and write the guest's memory. */
  readonly debug: boolean
  readonly singleSocket: boolean
  readonly cxlAllowed: boolean
  readonly aes256Xts: boolean
  readonly raplDisabled: boolean
  readonly ciphertextHiding: boolean
  readonly pageSwapDisabled: boolean
}

/** Reads POLICY, 64 bits. */
export function readGuestPolicy(policy: bigint): GuestPolicy {
  const bit = bitOf(policy)
  return {
    abi: { major: Number((policy >> 8n) & 0xffn), minor: Number(policy & 0xffn) },
    smtAllowed: bit(16),
    migrationAgent: bit(18),
    debug: bit(19),
    singleSocket: bit(20),
    cxlAllowed: bit(21),
    aes256Xts: bit(22),
    raplDisabled: bit(23),
    ciphertextHiding: bit(24),
    pageSwapDisabled: bit(25),
  }
}

/** Bit 17 is always one, bits 26 to 63 are zero. */
export function isGuestPolicyWellFormed(policy: bigint): boolean {
  return bitOf(policy)(17) && policy >> 26n === 0n
}

/** How the platform runs at the time of the report. */
export interface PlatformInfo {
  readonly smt: boolean
  readonly transparentEncryption: boolean
  readonly ecc: boolean
  readonly raplDisabled: boolean
  readonly ciphertextHiding: boolean
  /** The firmware has checked that no two addresses are one cell since the last reset. */
  readonly aliasCheck: boolean
  readonly trustedIo: boolean
}

/** Reads PLATFORM_INFO, 64 bits. */
export function readPlatformInfo(info: bigint): PlatformInfo {
  const bit = bitOf(info)
  return {
    smt: bit(0),
    transparentEncryption: bit(1),
    ecc: bit(2),
    raplDisabled: bit(3),
    ciphertextHiding: bit(4),
    aliasCheck: bit(5),
    trustedIo: bit(7),
  }
}

/** Bits 8 to 63 are zero. Bit 6 has no published meaning and is set in genuine reports of Turin. */
export function isPlatformInfoWellFormed(info: bigint): boolean {
  return info >> 8n === 0n
}

function bitOf(value: bigint): (n: number) => boolean {
  return (n) => ((value >> BigInt(n)) & 1n) === 1n
}
