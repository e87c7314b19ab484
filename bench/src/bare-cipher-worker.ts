/**
 * Thread of the peer of sealing: node's cipher over chunks in memory, results dropped. Chunks are as large as ours, and so is
 * the buffer they come from; both operations have run before it says that it is ready.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

/** What the thread is told to do: take pieces of so many chunks, of which a counter says how many any thread has taken. */
export interface BareWork {
  readonly operation: 'seal' | 'open'
  readonly chunks: number
  readonly taken: Int32Array
}

const algorithm = 'aes-256-gcm'
const chunkLength = 16_384
const chunksInBuffer = 8
/** 4 MiB, what a thread of ours takes at once. */
const chunksPerPiece = 256

const key = createSecretKey(randomBytes(32))
const nonce = Buffer.alloc(12)
const plaintext = randomBytes(chunkLength * chunksInBuffer)
const sealed = Array.from({ length: chunksInBuffer }, (_, index) => sealChunk(index))

parentPort?.on('message', (work: BareWork) => {
  while (Atomics.add(work.taken, 0, chunksPerPiece) < work.chunks) doPiece(work.operation)
  parentPort?.postMessage('done')
})
for (let piece = 0; piece < 16; piece++) {
  doPiece('seal')
  doPiece('open')
}
parentPort?.postMessage('ready')

function doPiece(operation: 'seal' | 'open'): void {
  for (let index = 0; index < chunksPerPiece; index++)
    if (operation === 'seal') sealChunk(index)
    else openChunk(index)
}

function sealChunk(index: number): { readonly chunk: Buffer; readonly tag: Buffer } {
  const start = (index % chunksInBuffer) * chunkLength
  nonce.writeUInt32BE(index, 8)
  const cipher = createCipheriv(algorithm, key, nonce)
  const chunk = cipher.update(plaintext.subarray(start, start + chunkLength))
  cipher.final()
  return { chunk, tag: cipher.getAuthTag() }
}

function openChunk(index: number): void {
  const at = index % chunksInBuffer
  const { chunk, tag } = sealed[at] ?? sealChunk(at)
  nonce.writeUInt32BE(at, 8)
  const decipher = createDecipheriv(algorithm, key, nonce)
  decipher.setAuthTag(tag)
  decipher.update(chunk)
  decipher.final()
}
