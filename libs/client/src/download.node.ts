/** Ranged downloads of ciphertext, checked against the digest that a signed statement names. */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { domains } from '#libs/canonical'
import { routes } from '#libs/protocol'
import { ClientError } from './errors.js'
import { signedFetch, type Connection } from './signed-fetch.js'

export interface DownloadOptions {
  readonly digest: string
  readonly size: number
  /** How often a broken download is taken up again where it ended. */
  readonly attempts?: number
  readonly onProgress?: (received: number, size: number) => void
}

/**
 * Downloads a blob into an open file from its start. Nothing of it may be used before this returns.
 * @throws ClientError `TRANSFER_MISMATCH` where size or digest differ, `COORDINATOR_UNREACHABLE`, `COORDINATOR_REFUSED`; the
 * file is then emptied.
 */
export async function downloadBlob(
  connection: Connection,
  file: FileHandle,
  options: DownloadOptions,
): Promise<void> {
  const hash = createHash('sha256').update(domains.ciphertext)
  let received = 0
  for (let attempt = 1; received < options.size; attempt++) {
    try {
      for await (const chunk of rangeFrom(connection, options, received)) {
        if (received + chunk.length > options.size) throw mismatch(`more than ${options.size} bytes`)
        hash.update(chunk)
        await file.write(chunk, 0, chunk.length, received)
        received += chunk.length
        options.onProgress?.(received, options.size)
      }
      if (received < options.size)
        throw new ClientError(
          'COORDINATOR_UNREACHABLE',
          `blob ${options.digest} ended at ${received} of ${options.size} bytes`,
        )
    } catch (error) {
      if (
        attempt >= (options.attempts ?? 3) ||
        (error instanceof ClientError && error.code !== 'COORDINATOR_UNREACHABLE')
      ) {
        await file.truncate(0)
        throw error
      }
    }
  }
  const digest = hash.digest('hex')
  if (digest === options.digest) return
  await file.truncate(0)
  throw mismatch(`digest ${digest}`)

  function mismatch(seen: string): ClientError {
    return new ClientError(
      'TRANSFER_MISMATCH',
      `blob ${options.digest} of ${options.size} bytes: seen ${seen}`,
    )
  }
}

async function* rangeFrom(
  connection: Connection,
  { digest, size }: DownloadOptions,
  from: number,
): AsyncGenerator<Uint8Array> {
  const headers = { range: `bytes=${from}-${size - 1}` }
  const response = await signedFetch(connection, { method: 'GET', path: routes.blob(digest), headers })
  if (response.status !== 206 && from > 0)
    throw new ClientError(
      'TRANSFER_MISMATCH',
      `blob ${digest}: asked for a range, got status ${response.status}`,
    )
  try {
    yield* (response.body ?? []) as AsyncIterable<Uint8Array>
  } catch (cause) {
    throw new ClientError('COORDINATOR_UNREACHABLE', `blob ${digest} was cut off`, { cause })
  }
}
