/**
 * Digest of ciphertext under its domain tag, taken while the ciphertext streams by. SHA-256 costs as much as the cipher, so
 * what is larger than a few mebibytes is hashed in a thread of its own.
 */
import { createHash } from 'node:crypto'
import { fstatSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { domains, toHex, utf8, type Digest } from '#libs/canonical'
import { absorb, requestLength, type DigestRequest } from './digest-request.node.js'
import type { DigestAnswer } from './digest-worker.node.js'
import { EnvelopeError } from './errors.js'
import { workerUrl } from './worker-url.node.js'

/** Below this a thread costs more than it saves. */
const inlineLimit = 4 * 2 ** 20
/** Bytes that may wait for the thread before whoever feeds it should wait too. */
const waitingLimit = 16 * 2 ** 20

/** `digest(domains.ciphertext, …)` of a file's whole content. */
export async function fileCiphertextDigest(file: number): Promise<Digest> {
  const digest = new CiphertextDigest()
  digest.updateFromFile(file, 0, fstatSync(file).size)
  return digest.digest()
}

/** Incremental `digest(domains.ciphertext, …)` of everything it is given, in order. End it by `digest` or `close`. */
export class CiphertextDigest {
  private held: DigestRequest[] = []
  private heldLength = 0
  private thread: DigestThread | undefined

  /** Takes a copy of the bytes; await it, so that no more wait than the thread can take. */
  async update(bytes: Uint8Array): Promise<void> {
    this.take(Uint8Array.from(bytes))
    await this.thread?.ready()
  }

  /** Takes a range of a file that must be written already and stay as it is. */
  updateFromFile(file: number, position: number, length: number): void {
    this.take({ file, position, length })
  }

  /**
   * The digest of all that was taken.
   * @throws EnvelopeError `FILE_FAILED` where a range could not be read.
   */
  async digest(): Promise<Digest> {
    if (this.thread !== undefined) return toHex(await this.thread.finish())
    const hash = createHash('sha256').update(utf8(domains.ciphertext))
    try {
      for (const request of this.held) absorb(hash, request)
    } catch (cause) {
      throw new EnvelopeError('FILE_FAILED', 'ciphertext could not be read for its digest', { cause })
    }
    return hash.digest('hex')
  }

  /** Ends the thread, for whoever does not want the digest any more. */
  async close(): Promise<void> {
    await this.thread?.close()
  }

  private take(request: DigestRequest): void {
    if (this.thread !== undefined) {
      this.thread.post(request)
      return
    }
    this.held.push(request)
    this.heldLength += requestLength(request)
    if (this.heldLength <= inlineLimit) return
    this.thread = new DigestThread()
    for (const held of this.held) this.thread.post(held)
    this.held = []
  }
}

class DigestThread {
  private readonly worker = new Worker(workerUrl('digest-worker.node'), {
    workerData: { tag: utf8(domains.ciphertext) },
    execArgv: [],
  })
  private readonly outcome: Promise<Uint8Array>
  private waiting = 0
  private wake: () => void = () => undefined

  constructor() {
    this.outcome = new Promise((resolve, reject) => {
      const fail = (reason: string, cause?: unknown) => {
        reject(new EnvelopeError('FILE_FAILED', `ciphertext could not be digested: ${reason}`, { cause }))
        this.waiting = 0
        this.wake()
      }
      this.worker.on('message', (answer: DigestAnswer) => {
        if ('failed' in answer) fail(answer.failed)
        else if ('digest' in answer) resolve(answer.digest)
        else {
          this.waiting -= answer.done
          this.wake()
        }
      })
      this.worker.on('error', (cause) => {
        fail('its thread failed', cause)
      })
      this.worker.on('exit', () => {
        fail('its thread ended')
      })
    })
    // Whoever asks for the digest learns of a failure; until then it must not count as unhandled.
    this.outcome.catch(() => undefined)
  }

  post(request: DigestRequest): void {
    this.waiting += requestLength(request)
    this.worker.postMessage(request, request instanceof Uint8Array ? [request.buffer] : [])
  }

  async ready(): Promise<void> {
    while (this.waiting > waitingLimit)
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
  }

  async finish(): Promise<Uint8Array> {
    this.worker.postMessage(null)
    try {
      return await this.outcome
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    await this.worker.terminate()
  }
}
