/** Which ciphertext is here, unfinished or complete, and how much of it each party keeps. */
import { Injectable } from '@nestjs/common'
import type { Digest, Thumbprint } from '#libs/canonical'
import type { StoredUpload } from '../storage/rows.js'

@Injectable()
export class UploadBook {
  private readonly uploads = new Map<string, StoredUpload>()
  private readonly byDigest = new Map<Digest, Set<Thumbprint>>()

  apply(upload: StoredUpload): void {
    this.uploads.set(keyOf(upload.digest, upload.party), upload)
    this.byDigest.set(upload.digest, (this.byDigest.get(upload.digest) ?? new Set()).add(upload.party))
  }

  forget(digest: Digest, party: Thumbprint): void {
    this.uploads.delete(keyOf(digest, party))
    this.byDigest.get(digest)?.delete(party)
  }

  find(digest: Digest, party: Thumbprint): StoredUpload | undefined {
    return this.uploads.get(keyOf(digest, party))
  }

  /** A complete upload. */
  findStored(digest: Digest, party: Thumbprint): StoredUpload | undefined {
    const upload = this.find(digest, party)
    return upload?.storedAt === null ? undefined : upload
  }

  /** Every complete upload of a digest. */
  stored(digest: Digest): readonly StoredUpload[] {
    const uploads = [...(this.byDigest.get(digest) ?? [])].flatMap((party) => this.find(digest, party) ?? [])
    return uploads.filter(({ storedAt }) => storedAt !== null)
  }

  /** What a party keeps here: bytes promised or stored, and uploads that are not complete. */
  kept(party: Thumbprint): { readonly bytes: number; readonly open: number } {
    let [bytes, open] = [0, 0]
    for (const upload of this.uploads.values())
      if (upload.party === party) {
        bytes += upload.size
        if (upload.storedAt === null) open++
      }
    return { bytes, open }
  }
}

function keyOf(digest: Digest, party: Thumbprint): string {
  return `${digest} ${party}`
}
