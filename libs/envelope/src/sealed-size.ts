import {
  chunkCount,
  chunkLength,
  headerLength,
  maximumPlaintextLength,
  sealedChunkLength,
  tagLength,
} from './chunked-format.js'
import { openFailed } from './errors.js'

/**
 * The size of `plaintextLength` bytes once sealed.
 * @throws RangeError beyond the 2^38 chunks of the format.
 */
export function sealedSize(plaintextLength: number): number {
  if (
    !Number.isSafeInteger(plaintextLength) ||
    plaintextLength < 0 ||
    plaintextLength > maximumPlaintextLength
  )
    throw new RangeError(`${plaintextLength} bytes cannot be sealed; the most is ${maximumPlaintextLength}`)
  return headerLength + plaintextLength + tagLength * chunkCount(plaintextLength)
}

/**
 * The plaintext length that a sealed size stands for. Nothing is authenticated by it: only the short last chunk is.
 * @throws EnvelopeError `OPEN_FAILED` for a size that sealing never makes.
 */
export function plaintextSize(sealed: number): number {
  const chunks = sealed - headerLength
  const last = chunks % sealedChunkLength
  if (!Number.isSafeInteger(sealed) || chunks < tagLength || last < tagLength) throw openFailed()
  const plaintext = Math.floor(chunks / sealedChunkLength) * chunkLength + last - tagLength
  if (plaintext > maximumPlaintextLength) throw openFailed()
  return plaintext
}
