/** Takes cosignatures, verified, and moves the runs that waited for them. */
import { Injectable } from '@nestjs/common'
import { utf8, type Digest, type Thumbprint } from '#libs/canonical'
import { keysOf } from '#libs/contract'
import { findCosignature, parseNote } from '#libs/translog'
import { ContractBook } from '../contracts/contract-book.js'
import { ownersOf } from '../contracts/contract-entry.js'
import { CoordinatorError } from '../errors.js'
import type { Draft } from '../ledger/draft.js'
import { Ledger } from '../ledger/ledger.js'
import { IdentityBook } from '../parties/identity-book.js'
import { RunBook, type RunEntry } from '../runs/run-book.js'
import { checkpointAsked, RunDriver } from '../runs/run-driver.js'
import { CosignatureBook } from './cosignature-book.js'
import { CosignDemands } from './cosign-demands.js'
import { PublicLog } from './public-log.js'

export interface PostedCosignature {
  readonly size: number
  readonly root: string
  readonly line: string
}

@Injectable()
export class RecordCosignature {
  constructor(
    private readonly ledger: Ledger,
    private readonly log: PublicLog,
    private readonly identities: IdentityBook,
    private readonly contracts: ContractBook,
    private readonly runs: RunBook,
    private readonly driver: RunDriver,
    private readonly book: CosignatureBook,
    private readonly demands: CosignDemands,
  ) {}

  /** @throws CoordinatorError `COSIGNATURE_REFUSED`, `CHECKPOINT_UNKNOWN`; TranslogError `COSIGNATURE_INVALID`, `NOTE_MALFORMED`. */
  async record(posted: PostedCosignature, witness: Thumbprint): Promise<void> {
    const { size } = posted
    await this.ledger.write(async (draft) => {
      // Verified in its turn: under the key that is the newest then, and against the line that is known then.
      const { line, isNewer } = await this.verify(posted, witness)
      if (!isNewer) return
      draft.add('cosignatures', { size, witness, line, recordedAt: draft.time() })
      const witnesses = [...new Set([...this.book.witnesses(size), witness])]
      for (const entry of [...this.runs.liveRuns()]) this.move(draft, entry, size, witnesses)
      // Who asked for it waits for it, and no run need have changed by it.
      for (const contract of this.demands.contractsWaiting(size, witness))
        draft.event({ kind: 'checkpoint', contract, size })
    })
  }

  /** Somebody wants the log as it stands cosigned, by everyone who may for this contract. */
  async request(contract: Digest, party: Thumbprint): Promise<void> {
    const { terms } = this.contracts.getFor(contract, party).contract
    const witnesses = [...new Set([...keysOf(terms, terms.log.witnesses), ...ownersOf(terms)])]
    await this.ledger.write((draft) => {
      const { size } = draft
      if (this.demands.ask(contract, size, witnesses, draft.now))
        draft.event({ kind: 'cosign', contract, size })
    })
  }

  /** A line that verifies, and whether the witness signed it later than the one that is known of it, as after another's start. */
  private async verify(
    { size, root, line }: PostedCosignature,
    witness: Thumbprint,
  ): Promise<{ readonly line: string; readonly isNewer: boolean }> {
    const identity = this.identities.newest(witness)
    if (!identity.delegations.includes('cosignature'))
      throw new CoordinatorError(
        'COSIGNATURE_REFUSED',
        'cosignatures are not delegated to the daemon key of this party',
      )
    if (size > this.log.size)
      throw new CoordinatorError('CHECKPOINT_UNKNOWN', `the log has ${this.log.size} leaves, not ${size}`)
    const checkpoint = await this.log.checkpoint(size)
    if (checkpoint.root !== root)
      throw new CoordinatorError(
        'COSIGNATURE_REFUSED',
        `the witness saw root ${root} at size ${size}; this log has ${checkpoint.root}: keep both checkpoints, one of them is proof`,
      )
    const text = line.endsWith('\n') ? line : `${line}\n`
    if (utf8(text).length > 600 || text.indexOf('\n') !== text.length - 1)
      throw new CoordinatorError('COSIGNATURE_REFUSED', 'a cosignature is one line')
    const signer = { name: witnessName(this.log.origin, witness), key: identity.daemonKey }
    const found = await findCosignature(parseNote(checkpoint.note + text), signer)
    if (found === undefined)
      throw new CoordinatorError(
        'COSIGNATURE_REFUSED',
        `the line is not of ${witnessName(this.log.origin, witness)} under the party's newest daemon key`,
      )
    const known = await this.book.find(size, witness)
    const before =
      known === undefined ? undefined : await findCosignature(parseNote(checkpoint.note + known), signer)
    return { line: text, isNewer: found.timeSeconds > (before?.timeSeconds ?? -1) }
  }

  private move(draft: Draft, { run }: RunEntry, size: number, witnesses: readonly Thumbprint[]): void {
    const asked = checkpointAsked(run.record)
    if (asked === null || size < asked) return
    const next = this.driver.apply(draft, run, { kind: 'cosigned', size, witnesses })
    if (next.state !== run.state) this.demands.forgetRun(run.id)
    // Two witnesses may have gone to different checkpoints, each past the one asked for: all are asked for the later.
    else if (size > asked && this.demands.raise(run.id, size))
      draft.event({ kind: 'cosign', contract: run.contract, run: run.id, size })
  }
}

/** The name under which a party cosigns: one for all contracts, told apart by its consent key. */
export function witnessName(origin: string, party: Thumbprint): string {
  return `${origin}/witness/${party}`
}
