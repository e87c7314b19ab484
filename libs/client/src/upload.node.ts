/**
 * Resumable uploads (tus 1.0) of ciphertext. An upload is named by the digest of its bytes, so whoever lost its place asks
 * for the offset and goes on from there. The coordinator checks the digest before it keeps anything.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { routes } from '#libs/protocol'
import { ClientError } from './errors.js'
import { signedFetch, type Connection } from './signed-fetch.js'

/** Bytes per PATCH; each part is signed with its offset, length and digest. */
export const uploadPartBytes = 4 * 1024 * 1024

export interface UploadOptions {
  readonly digest: string
  readonly size: number
  readonly onProgress?: (sent: number, size: number) => void
}

/**
 * Uploads a file, from where an earlier attempt ended.
 * @throws ClientError `COORDINATOR_REFUSED`, `COORDINATOR_UNREACHABLE`, `TRANSFER_MISMATCH`.
 */
export async function uploadFile(
  connection: Connection,
  path: string,
  options: UploadOptions,
): Promise<void> {
  const file = await open(path, 'r')
  try {
    await uploadHandle(connection, file, options)
  } finally {
    await file.close()
  }
}

/** Like {@link uploadFile}, from an open descriptor. */
export async function uploadHandle(
  connection: Connection,
  file: FileHandle,
  options: UploadOptions,
): Promise<void> {
  const path = `${routes.uploads}/${options.digest}`
  let offset = await begin(connection, path, options)
  while (offset < options.size) {
    const length = Math.min(uploadPartBytes, options.size - offset)
    const { buffer: body, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset)
    if (bytesRead !== length)
      throw new ClientError(
        'TRANSFER_MISMATCH',
        `the file to upload ended at ${offset + bytesRead} of ${options.size} bytes`,
      )
    const headers = {
      'tus-resumable': '1.0.0',
      'upload-offset': String(offset),
      'content-type': 'application/offset+octet-stream',
    }
    const response = await signedFetch(connection, {
      method: 'PATCH',
      path,
      body,
      headers,
      upload: { offset, length },
    })
    const next = Number(response.headers.get('upload-offset'))
    if (next !== offset + length)
      throw new ClientError('TRANSFER_MISMATCH', `the upload stands at ${next}; expected ${offset + length}`)
    offset = next
    options.onProgress?.(offset, options.size)
  }
}

/** Creates the upload, or finds where it stands. */
async function begin(connection: Connection, path: string, { digest, size }: UploadOptions): Promise<number> {
  try {
    const headers = {
      'tus-resumable': '1.0.0',
      'upload-length': String(size),
      'upload-metadata': `digest ${Buffer.from(digest).toString('base64')}`,
    }
    await signedFetch(connection, { method: 'POST', path: routes.uploads, headers })
    return 0
  } catch (error) {
    if (!(error instanceof ClientError) || error.problem?.code !== 'UPLOAD_EXISTS') throw error
    const response = await signedFetch(connection, {
      method: 'HEAD',
      path,
      headers: { 'tus-resumable': '1.0.0' },
    })
    return Number(response.headers.get('upload-offset'))
  }
}
