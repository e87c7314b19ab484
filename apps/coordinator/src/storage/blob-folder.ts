/**
 * Ciphertext in a folder. A blob's name is its digest, and a file gets that name only when its bytes have it. What is not
 * complete stands aside, one file per party and digest.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { domains, type Digest, type Thumbprint } from '#libs/canonical'

/** A running digest, so that a finished upload need not be read again. Lost at a restart; then the file is read. */
interface Running {
  readonly hash: Hash
  offset: number
}

export class BlobFolder {
  private readonly running = new Map<string, Running>()

  constructor(private readonly path: string) {}

  async begin(digest: Digest, party: Thumbprint): Promise<void> {
    await mkdir(join(this.path, 'partial'), { recursive: true, mode: 0o700 })
    const file = await open(this.partial(digest, party), 'a', 0o600)
    await file.close()
  }

  /** How many bytes of an unfinished upload are here; null where there is no such file. */
  async offset(digest: Digest, party: Thumbprint): Promise<number | null> {
    return await sizeOf(this.partial(digest, party))
  }

  /** Writes bytes at an offset and cuts off whatever an earlier attempt left behind them. */
  async write(digest: Digest, party: Thumbprint, bytes: Uint8Array, offset: number): Promise<void> {
    const path = this.partial(digest, party)
    const file = await open(path, 'r+')
    try {
      await file.truncate(offset)
      await file.write(bytes, 0, bytes.length, offset)
      await file.datasync()
    } finally {
      await file.close()
    }
    const key = `${digest} ${party}`
    const running =
      offset === 0
        ? { hash: createHash('sha256').update(domains.ciphertext), offset: 0 }
        : this.running.get(key)
    if (running?.offset !== offset) {
      this.running.delete(key)
      return
    }
    running.hash.update(bytes)
    running.offset += bytes.length
    this.running.set(key, running)
  }

  /** The digest of an unfinished upload's bytes. */
  async digest(digest: Digest, party: Thumbprint, size: number): Promise<Digest> {
    const key = `${digest} ${party}`
    const running = this.running.get(key)
    this.running.delete(key)
    if (running?.offset === size) return running.hash.digest('hex')
    const hash = createHash('sha256').update(domains.ciphertext)
    for await (const chunk of createReadStream(this.partial(digest, party))) hash.update(chunk as Buffer)
    return hash.digest('hex')
  }

  /** Gives a checked upload its name. */
  async store(digest: Digest, party: Thumbprint): Promise<void> {
    const target = this.blob(digest)
    await mkdir(join(this.path, digest.slice(0, 2)), { recursive: true, mode: 0o700 })
    await rename(this.partial(digest, party), target)
  }

  async discard(digest: Digest, party: Thumbprint): Promise<void> {
    this.running.delete(`${digest} ${party}`)
    await rm(this.partial(digest, party), { force: true })
  }

  /** Whether a blob is here, by its size. */
  async size(digest: Digest): Promise<number | null> {
    return await sizeOf(this.blob(digest))
  }

  /** A blob's bytes from `start` up to and including `end`. */
  read(digest: Digest, start: number, end: number): Readable {
    return createReadStream(this.blob(digest), { start, end })
  }

  private blob(digest: Digest): string {
    return join(this.path, digest.slice(0, 2), digest)
  }

  private partial(digest: Digest, party: Thumbprint): string {
    return join(this.path, 'partial', `${digest}.${party}`)
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
