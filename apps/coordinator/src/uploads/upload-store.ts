/** What tus keeps, over the blob folder: parts in their order, a blob only when its digest is the one that it is named by. */
import { DataStore, Upload } from '@tus/server'
import type { Readable } from 'node:stream'
import { Injectable } from '@nestjs/common'
import type { Digest, Thumbprint } from '#libs/canonical'
import { Clock } from '../clock.js'
import { CoordinatorError } from '../errors.js'
import { Ledger } from '../ledger/ledger.js'
import { BlobFolder } from '../storage/blob-folder.js'
import { LedgerStore } from '../storage/ledger-store.js'
import type { StoredUpload } from '../storage/rows.js'
import { UploadBook } from './upload-book.js'

export abstract class UploadSettings {
  abstract readonly uploadBytesMaximum: number
  abstract readonly uploadBytesPerParty: number
  abstract readonly openUploadsPerParty: number
}

@Injectable()
export class UploadStore extends DataStore {
  override extensions = ['creation']
  /** Runs of workers, by worker: what it uploads are that run's outputs. */
  runOf: (party: Thumbprint) => Digest | null = () => null

  constructor(
    private readonly blobs: BlobFolder,
    private readonly book: UploadBook,
    private readonly ledger: Ledger,
    private readonly rows: LedgerStore,
    private readonly clock: Clock,
    private readonly settings: UploadSettings,
  ) {
    super()
  }

  override async create(upload: Upload): Promise<Upload> {
    const { digest, party } = parseUploadId(upload.id)
    const size = upload.size ?? 0
    if (size < 1 || size > this.settings.uploadBytesMaximum)
      throw new CoordinatorError(
        'UPLOAD_QUOTA',
        `an upload has 1 to ${this.settings.uploadBytesMaximum} bytes; asked for ${size}`,
      )
    await this.ledger.write((draft) => {
      const known = this.book.find(digest, party)
      if (known !== undefined)
        throw known.size === size
          ? new CoordinatorError('UPLOAD_EXISTS', `upload ${digest} exists; ask for its offset and go on`)
          : new CoordinatorError(
              'UPLOAD_MISMATCH',
              `upload ${digest} exists with ${known.size} bytes, not ${size}`,
            )
      const kept = this.book.kept(party)
      if (kept.bytes + size > this.settings.uploadBytesPerParty)
        throw new CoordinatorError(
          'UPLOAD_QUOTA',
          `this party keeps ${kept.bytes} of ${this.settings.uploadBytesPerParty} bytes here; ${size} more do not fit`,
        )
      if (kept.open >= this.settings.openUploadsPerParty)
        throw new CoordinatorError(
          'UPLOAD_QUOTA',
          `${kept.open} uploads of this party are unfinished; finish some first`,
        )
      draft.add('uploads', {
        digest,
        party,
        size,
        run: this.runOf(party),
        startedAt: draft.time(),
        storedAt: null,
      })
    })
    await this.blobs.begin(digest, party)
    return upload
  }

  override async getUpload(id: string): Promise<Upload> {
    const upload = this.get(id)
    return new Upload({
      id,
      size: upload.size,
      offset: upload.storedAt === null ? await this.offsetOf(upload) : upload.size,
    })
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    const upload = this.get(id)
    const { digest, party, size } = upload
    const bytes = await collect(stream, size - offset)
    if (upload.storedAt !== null || bytes.length === 0) return offset
    await this.blobs.write(digest, party, bytes, offset)
    const reached = offset + bytes.length
    if (reached === size) await this.finish(upload)
    return reached
  }

  // A crash may have come between a step on disk and its row: what is on disk decides how to go on.
  private async offsetOf(upload: StoredUpload): Promise<number> {
    const { digest, party, size } = upload
    const offset = await this.blobs.offset(digest, party)
    if (offset !== null) return Math.min(size, offset)
    if ((await this.blobs.size(digest)) === size) {
      await this.keep(upload)
      return size
    }
    await this.blobs.begin(digest, party)
    return 0
  }

  private async keep(upload: StoredUpload): Promise<void> {
    await this.ledger.write((draft) => {
      draft.add('uploads', { ...upload, storedAt: new Date(this.clock.now()).toISOString() })
    })
  }

  private async finish(upload: StoredUpload): Promise<void> {
    const { digest, party, size } = upload
    const seen = await this.blobs.digest(digest, party, size)
    if (seen !== digest) {
      await this.blobs.discard(digest, party)
      await this.rows.forgetUpload(digest, party)
      this.book.forget(digest, party)
      throw new CoordinatorError(
        'UPLOAD_MISMATCH',
        `the ${size} bytes have digest ${seen}, not ${digest}; nothing of them was kept`,
      )
    }
    await this.blobs.store(digest, party)
    await this.keep(upload)
  }

  /** @throws CoordinatorError `UPLOAD_UNKNOWN`. */
  private get(id: string): StoredUpload {
    const { digest, party } = parseUploadId(id)
    const upload = this.book.find(digest, party)
    if (upload === undefined)
      throw new CoordinatorError('UPLOAD_UNKNOWN', `there is no upload ${digest} of this party`)
    return upload
  }
}

/** How tus names an upload: the digest that its path names, and the party that its token proved. */
export function uploadId(digest: Digest, party: Thumbprint): string {
  return `${digest}.${party}`
}

function parseUploadId(id: string): { digest: Digest; party: Thumbprint } {
  return { digest: id.slice(0, 64), party: id.slice(65) }
}

// Parts are bounded and checked before they come here.
async function collect(stream: Readable, maximum: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array)
    length += bytes.length
    if (length > maximum)
      throw new CoordinatorError('UPLOAD_OFFSET', 'the part reaches beyond the end of the upload')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}
