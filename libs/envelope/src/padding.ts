/**
 * Padding of what is sealed in one piece, so that its sealed size says little about its content.
 * Lengths follow Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs",
 * PoPETs 2019, §4): only the upper bits of a length stay, which adds under 12 % and leaks O(log log n) bits. Below 4 KiB
 * all lengths are one.
 */
import { EnvelopeError } from './errors.js'

/** Everything shorter is padded to this length. */
export const smallestPaddedLength = 4096

const prefixLength = 8

/** The padded length of `length` bytes, its own prefix of 8 bytes included. */
export function paddedLength(length: number): number {
  if (!Number.isSafeInteger(length) || length < 0 || length > 2 ** 50)
    throw new RangeError(`a length of ${length} bytes cannot be padded`)
  return padme(Math.max(smallestPaddedLength, length + prefixLength))
}

/** Length as 8 bytes big-endian, then the bytes, then zeros up to {@link paddedLength}. */
export function pad(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(paddedLength(bytes.length))
  new DataView(padded.buffer).setBigUint64(0, BigInt(bytes.length))
  padded.set(bytes, prefixLength)
  return padded
}

/**
 * The bytes that {@link pad} was given; a view, not a copy. Any other padding of the same bytes is refused, so that padding
 * carries nothing.
 * @throws EnvelopeError `PADDING_MALFORMED`.
 */
export function unpad(padded: Uint8Array): Uint8Array {
  if (padded.length < smallestPaddedLength) throw malformed()
  const prefix = new DataView(padded.buffer, padded.byteOffset, prefixLength).getBigUint64(0)
  const length = Number(prefix)
  if (prefix > BigInt(padded.length - prefixLength) || paddedLength(length) !== padded.length)
    throw malformed()
  const end = prefixLength + length
  if (padded.subarray(end).some((byte) => byte !== 0)) throw malformed()
  return padded.subarray(prefixLength, end)
}

// With L of E+1 bits, the lowest E-S bits become zero, where S is the number of bits that E itself needs.
function padme(length: number): number {
  const exponent = Math.floor(Math.log2(length))
  const kept = Math.floor(Math.log2(exponent)) + 1
  const step = 2 ** (exponent - kept)
  return Math.ceil(length / step) * step
}

function malformed(): EnvelopeError {
  return new EnvelopeError('PADDING_MALFORMED', 'opened bytes are not padded as sealing pads them')
}
