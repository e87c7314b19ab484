/**
 * Frames between parent and child: four bytes of length, big-endian, then that many bytes of UTF-8 JSON.
 * Guards: a peer that sends too much, or what is not JSON, is noticed before its bytes are kept or believed.
 * Imports nothing, so that the child carries nothing that it does not need.
 */

/** Why bytes are not frames. The parent turns it into `CHILD_DIED`. */
export class FrameFault extends Error {}

/** Encodes one message. */
export function encodeFrame(message: unknown): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(JSON.stringify(message))
  const frame = new Uint8Array(4 + body.length)
  new DataView(frame.buffer).setUint32(0, body.length)
  frame.set(body, 4)
  return frame
}

/** Collects bytes into messages, up to a length per frame and in all. */
export class FrameReader {
  readonly #maximumFrameBytes: number
  #remainingBytes: number
  #chunks: Uint8Array[] = []
  #held = 0

  constructor(limits: { readonly maximumFrameBytes: number; readonly maximumTotalBytes: number }) {
    this.#maximumFrameBytes = limits.maximumFrameBytes
    this.#remainingBytes = limits.maximumTotalBytes
  }

  /**
   * The messages that are whole after these bytes.
   * @throws FrameFault for a frame too long, too many bytes in all, or what is not JSON.
   */
  push(bytes: Uint8Array): unknown[] {
    this.#remainingBytes -= bytes.length
    if (this.#remainingBytes < 0) throw new FrameFault('more bytes in all than allowed')
    this.#chunks.push(bytes)
    this.#held += bytes.length
    const messages: unknown[] = []
    for (let length = this.#nextLength(); length !== undefined; length = this.#nextLength())
      messages.push(parse(this.#take(4 + length).subarray(4)))
    return messages
  }

  /** The length of the first frame where it is whole. */
  #nextLength(): number | undefined {
    if (this.#held < 4) return undefined
    if ((this.#chunks[0]?.length ?? 0) < 4) this.#chunks = [this.#joined()]
    const head = this.#chunks[0] ?? new Uint8Array(4)
    const length = new DataView(head.buffer, head.byteOffset, 4).getUint32(0)
    if (length > this.#maximumFrameBytes)
      throw new FrameFault(`a frame of ${length} bytes; at most ${this.#maximumFrameBytes}`)
    return this.#held >= 4 + length ? length : undefined
  }

  #take(length: number): Uint8Array {
    const joined = this.#joined()
    this.#chunks = joined.length > length ? [joined.subarray(length)] : []
    this.#held -= length
    return joined.subarray(0, length)
  }

  #joined(): Uint8Array {
    const [only] = this.#chunks
    if (only !== undefined && this.#chunks.length === 1) return only
    const joined = new Uint8Array(this.#held)
    let offset = 0
    for (const chunk of this.#chunks) {
      joined.set(chunk, offset)
      offset += chunk.length
    }
    return joined
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body)) as unknown
  } catch {
    throw new FrameFault('what is not JSON')
  }
}
