import { CanonicalError } from './errors.js'
import { nativeBuffer } from './native.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text)
}

/**
 * The string behind UTF-8 bytes.
 * @throws CanonicalError `BYTES_MALFORMED` where the bytes are not UTF-8.
 */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new CanonicalError('BYTES_MALFORMED', `${bytes.length} bytes are not UTF-8`, { cause })
  }
}

/** Joins byte strings in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/** Compares without an early exit; lengths are not secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  if (nativeBuffer !== undefined)
    return nativeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/**
 * Bytes of lower-case hexadecimal; upper case is refused, so that equal digests are equal strings.
 * @throws CanonicalError `BYTES_MALFORMED`.
 */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (!/^(?:[0-9a-f]{2})*$/.test(text))
    throw new CanonicalError('BYTES_MALFORMED', 'not lower-case hexadecimal')
  if (nativeBuffer !== undefined) return new Uint8Array(nativeBuffer.from(text, 'hex'))
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** Base64url without padding (RFC 4648 §5). */
export function toBase64url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/**
 * Bytes of unpadded base64url; every other spelling of the same bytes is refused (RFC 4648 §3.5).
 * @throws CanonicalError `BYTES_MALFORMED`.
 */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1)
    throw new CanonicalError('BYTES_MALFORMED', 'not unpadded base64url')
  expectNoStrayBits(text.slice(-1), text.length % 4)
  return decodeBase64(text.replaceAll('-', '+').replaceAll('_', '/'))
}

/** Standard base64 with padding, as signed notes use it. */
export function toBase64(bytes: Uint8Array): string {
  if (nativeBuffer !== undefined)
    return nativeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
  let binary = ''
  for (let i = 0; i < bytes.length; i += 0x8000)
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
  return btoa(binary)
}

/**
 * Bytes of padded standard base64, one spelling only.
 * @throws CanonicalError `BYTES_MALFORMED`.
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0)
    throw new CanonicalError('BYTES_MALFORMED', 'not padded base64')
  const bare = text.replace(/=+$/, '')
  expectNoStrayBits(bare.slice(-1), bare.length % 4)
  return decodeBase64(text)
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

// The last character of a group of two carries 2 bits of the last byte, of a group of three 4 bits; the others must be zero.
function expectNoStrayBits(last: string, remainder: number): void {
  const value = alphabet.indexOf(last.replace('-', '+').replace('_', '/'))
  const stray = remainder === 2 ? value & 0b1111 : remainder === 3 ? value & 0b11 : 0
  if (stray !== 0) throw new CanonicalError('BYTES_MALFORMED', 'base64 has stray bits at its end')
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  if (nativeBuffer !== undefined) return new Uint8Array(nativeBuffer.from(text, 'base64'))
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}
