import { digest, domains } from '#libs/canonical'
import { uploadHandle, type Connection } from '#libs/client'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Uploads bytes as agents and workers do; returns their digest. */
export async function uploadBytes(connection: Connection, bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sealroom-upload-'))
  const path = join(folder, 'bytes')
  await writeFile(path, bytes)
  const file = await open(path, 'r')
  try {
    const name = digest(domains.ciphertext, bytes)
    await uploadHandle(connection, file, { digest: name, size: bytes.length })
    return name
  } finally {
    await file.close()
    await rm(folder, { recursive: true })
  }
}
