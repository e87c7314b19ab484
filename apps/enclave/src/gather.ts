/**
 * Waits for what the data owners give to an Offer, and works on each piece as it comes: a KeyRelease is opened and the log's proofs are
 * fetched while others are still awaited, so that little is left to do after the last.
 */
import type { Digest, Verified } from '#libs/canonical'
import type { KeyRelease } from '#libs/protocol'
import {
  completeParts,
  expectMatching,
  joinKeys,
  openRelease,
  proveRecorded,
  type OpenedKeys,
  type OpenedRelease,
  type Part,
  type Proven,
} from './begin.js'
import type { EnclaveClock } from './enclave-clock.js'
import { EnclaveError } from './errors.js'
import type { FollowedRun } from './followed-run.js'
import type { NeededSegment } from './inputs.js'
import type { MadeOffer } from './make-offer.js'
import { partKey, type RoundRecord } from './round-record.js'
import type { RunLog } from './run-log.js'
import type { Beginning } from './time-grid.js'
import type { Job } from './verify-job.js'

/** Everything that the owners gave, verified one by one; `decide` has not been asked yet. */
export interface Gathered {
  readonly parts: readonly Part[]
  readonly keys: OpenedKeys
  readonly proven: Proven
  /** When the last KeyRelease had come. */
  readonly releasedAt: Beginning
}

/**
 * Gathers until every owner has released, or the Offer expires.
 * @throws EnclaveError `OFFER_EXPIRED`, `ROUND_LOST`, `RUN_ENDED`, and the codes of what is verified on the way.
 */
export async function gather(
  job: Job,
  run: FollowedRun,
  made: MadeOffer,
  needed: readonly NeededSegment[],
  record: RoundRecord,
  log: RunLog,
  clock: EnclaveClock,
): Promise<Gathered> {
  const opened = new Map<Digest, Promise<OpenedRelease>>()
  let proven: Promise<Proven> | null = null
  const open = (release: Verified<KeyRelease>) => {
    const known = opened.get(release.id) ?? observed(openRelease(job, made, release, segmentsOf(release)))
    opened.set(release.id, known)
    return known
  }
  const segmentsOf = ({ payload: { by, dataset } }: Verified<KeyRelease>) =>
    new Set(
      needed.flatMap(({ input, segment }) =>
        input.owner === by && input.dataset === dataset ? [segment.name] : [],
      ),
    )
  const prove = () => (proven ??= observed(proveRecorded(job, run.view, record, log)))

  const parts = await run.until(
    async () => {
      run.expectRound(made.offer.payload.round)
      await record.absorb(run.view.statements)
      for (const release of record.releases.values()) void open(release)
      // The coordinator's word says when it is worth asking; what is then proven is not its word.
      if (run.view.state === 'collectingReleases' && spendsComplete(job, record)) void prove()
      return completeParts(job, record)
    },
    () => (Date.parse(made.offer.payload.expiresAt) - clock.now()) / 1000,
  )
  if (parts === null)
    throw new EnclaveError('OFFER_EXPIRED', `Offer ${made.offer.id} expired before every owner had released`)
  const releasedAt = { mark: clock.mark(), time: clock.now() }
  expectMatching(parts)
  const keys = joinKeys(parts, await Promise.all(parts.map(({ release }) => open(release))))
  return { parts, keys, proven: await prove(), releasedAt }
}

function spendsComplete(job: Job, record: RoundRecord): boolean {
  return job.inputs.every(({ owner, dataset }) => record.spends.has(partKey(owner, dataset)))
}

/** A failure shows to whoever awaits the promise later; until then it is no unhandled one. */
function observed<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}
