/** Who may read which ciphertext: its owner, the worker whose run reads it, the recipient who fetched it. */
import { Injectable } from '@nestjs/common'
import { unverifiedStatement, type Digest, type Thumbprint } from '#libs/canonical'
import { fetchSchema } from '#libs/protocol'
import { ContractBook } from '../contracts/contract-book.js'
import { partKey } from '../contracts/contract-entry.js'
import { CoordinatorError } from '../errors.js'
import type { Caller } from '../http/caller.js'
import { RunBook } from '../runs/run-book.js'
import { WorkerPool } from '../runs/worker-pool.js'
import { UploadBook } from './upload-book.js'

@Injectable()
export class BlobAccess {
  constructor(
    private readonly uploads: UploadBook,
    private readonly runs: RunBook,
    private readonly contracts: ContractBook,
    private readonly workers: WorkerPool,
  ) {}

  /** @throws CoordinatorError `BLOB_UNKNOWN`: to those who may not read it a blob is as if it were not there. */
  async expectReadable(digest: Digest, caller: Caller): Promise<void> {
    const uploads = this.uploads.stored(digest)
    const allowed =
      (caller.kind === 'party' &&
        (uploads.some(({ party }) => party === caller.thumbprint) ||
          (await this.fetched(digest, caller.thumbprint)))) ||
      (caller.kind === 'worker' && this.isInput(digest, caller.thumbprint))
    if (!allowed || uploads.length === 0)
      throw new CoordinatorError(
        'BLOB_UNKNOWN',
        `blob ${digest} is not here for this caller; a recipient posts a fetch first`,
      )
  }

  private async fetched(digest: Digest, party: Thumbprint): Promise<boolean> {
    for (const { run } of this.uploads.stored(digest)) {
      const entry = run === null ? undefined : await this.runs.find(run)
      if (entry?.run.state !== 'completed') continue
      const names = entry.run.record.outputs
        .filter((output) => output.digest === digest && output.recipients.includes(party))
        .map(({ name }) => name)
      const fetched = entry.statements.some(
        ({ type, signer, jws }) =>
          type === 'fetch' &&
          signer === party &&
          names.includes(fetchSchema.parse(unverifiedStatement(jws).payload).output),
      )
      if (fetched) return true
    }
    return false
  }

  private isInput(digest: Digest, thumbprint: Thumbprint): boolean {
    const worker = this.workers.find(thumbprint)
    const run = worker?.state === 'reserved' ? this.runs.findLive(worker.run ?? '')?.run : undefined
    if (run === undefined) return false
    const { manifests } = this.contracts.get(run.contract)
    return run.record.terms.inputs.some((input) =>
      (manifests.get(partKey(input.owner, input.dataset)) ?? []).some(
        ({ id, payload }) =>
          id === input.manifest &&
          payload.segments.some(({ ciphertextDigest }) => ciphertextDigest === digest),
      ),
    )
  }
}
