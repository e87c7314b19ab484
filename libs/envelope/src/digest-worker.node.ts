/** Thread that hashes what it is sent, in order, and answers how much is done; null asks for the digest. */
import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { absorb, requestLength, type DigestRequest } from './digest-request.node.js'

/** What the thread answers. */
export type DigestAnswer =
  { readonly done: number } | { readonly digest: Uint8Array } | { readonly failed: string }

const hash = createHash('sha256').update((workerData as { readonly tag: Uint8Array }).tag)
const answer = (message: DigestAnswer) => parentPort?.postMessage(message)

parentPort?.on('message', (request: DigestRequest | null) => {
  try {
    if (request === null) {
      answer({ digest: hash.digest() })
      return
    }
    absorb(hash, request)
    answer({ done: requestLength(request) })
  } catch (cause) {
    answer({ failed: cause instanceof Error ? cause.message : 'unknown' })
  }
})
