/**
 * What happens to data: one run, from its assignment to its end, in the order of the protocol (design: section 4, steps 3, 6 and 7).
 * Nothing is opened before every owner has released for exactly this Offer; nothing leaves that the contract's controls have not passed;
 * nobody can open what left before the log holds its Receipt. The coordinator brings bytes, and none of them count before they verify.
 */
import type { Thumbprint, Verified } from '#libs/canonical'
import type { Facts } from '#libs/contract'
import type { Assignment, Receipt } from '#libs/protocol'
import type { CosignedCheckpoint } from '#libs/translog'
import { expectPermit, releaseFacts, requestFact, startFacts, wipeKeys } from './begin.js'
import type { Enclave } from './enclave.js'
import { EnclaveError } from './errors.js'
import { FollowedRun } from './followed-run.js'
import { gather, type Gathered } from './gather.js'
import {
  discardInputs,
  expectKeys,
  fetchInputs,
  isModel,
  neededSegments,
  type NeededSegment,
} from './inputs.js'
import { LeaseWatch } from './lease-watch.js'
import { Leases } from './leases.js'
import { limits } from './limits.js'
import { makeOffer } from './make-offer.js'
import { withHandle } from './memory-handle.js'
import { makeOutputKeys } from './output-keys.js'
import type { SealedOutput } from './outputs.js'
import { perform } from './perform.js'
import { columnsOf, expectRunnable, planComputation, type RunnablePlan } from './plan.js'
import { makeReceipt } from './receipt.js'
import { RoundRecord } from './round-record.js'
import { logTermsOf, RunLog } from './run-log.js'
import { signStart } from './sign-start.js'
import type { Signer } from './statement-by-enclave.js'
import { TimeGrid } from './time-grid.js'
import { verifyJob, type Job } from './verify-job.js'

/**
 * Executes a run, and returns when its outputs can be opened by their recipients, or its failure is recorded.
 * @throws EnclaveError and the coded errors of the libraries, where the run ends without a Receipt that counts.
 */
export async function executeRun(assignment: Assignment, enclave: Enclave): Promise<void> {
  const job = await verifyJob(assignment, await enclave.channel.log())
  const parser = await enclave.parser()
  const plan = expectRunnable(job, await planComputation(job, parser))
  parser.kill()
  enclave.journal('job-verified', { run: job.run, contract: job.contract.id })
  const run = new FollowedRun(enclave.channel, assignment.run)
  for (let rounds = 1; ; rounds++)
    try {
      await executeRound(job, plan, run, enclave)
      return
    } catch (error) {
      // Until data is opened a lost round is only lost time: new keys, a new Offer.
      const lost = error instanceof EnclaveError && error.code === 'ROUND_LOST'
      if (!lost || enclave.spent.executed || rounds >= limits.rounds) throw error
    }
}

async function executeRound(job: Job, plan: RunnablePlan, run: FollowedRun, enclave: Enclave): Promise<void> {
  const { channel, clock, journal } = enclave
  const { round } = run.view
  const record = new RoundRecord(
    { contract: job.contract.id, run: job.run, round, owners: ownersOf(job) },
    clock,
  )
  const keys = await enclave.takeKeys()
  const signer: Signer = {
    receiptKey: keys.receipt,
    origin: job.contract.terms.log.origin,
    now: () => clock.now(),
    randomBytes: enclave.randomBytes,
  }
  journal('round', { run: job.run, round })

  // Step 3. All owners' nonces, then an Offer over them: it cannot have been made before.
  await awaitNonces(job, run, record, enclave)
  const made = await makeOffer(job, record, keys, enclave.worker, signer)
  record.expectOffer(made.set, made.offer.id)
  await channel.record(made.offer.jws)
  await channel.record(made.evidence.jws, made.attachment)
  journal('offered', { run: job.run, round, statement: made.offer.id })

  // Steps 4 and 5 are the owners'. Meanwhile ciphertext may come: without keys it says nothing.
  const log = new RunLog(logTermsOf(job), channel, clock)
  const needed = neededSegments(job, columnsOf(plan))
  const { gathered, fetched, engine, runtime } = await together(
    gather(job, run, made, needed, record, log, clock),
    needed,
    plan,
    enclave,
  )
  const { timeGridMilliseconds, leaseSeconds, maximumSeconds } = job.contract.terms.runs
  const grid = new TimeGrid(clock, gathered.releasedAt, timeGridMilliseconds, enclave.sleep)
  expectKeys(gathered.parts, gathered.keys, needed)
  journal('released', { run: job.run, round })

  // Step 6. Before anything is opened: every fact established here, every lease running, this Offer not executed before.
  const leases = new Leases(clock, leaseSeconds)
  for (const { release } of gathered.parts) leases.begin(release)
  const watch = new LeaseWatch(run, record, leases, enclave.sleep)
  await watch.check()
  const facts = () =>
    startFacts(job, made, gathered.parts, gathered.keys, gathered.proven, leases, {
      query: plan.fact,
      now: clock.now(),
      executedBefore: false,
    })
  expectPermit(job, 'start', { ...facts(), executedBefore: enclave.spent.executed })
  enclave.spent.executed = true
  const start = await signStart(job, made, gathered.parts, signer)
  const started = channel.record(start.jws)
  started.catch(() => undefined)
  journal('started', { run: job.run, round, statement: start.id })

  const mark = clock.mark()
  const result = await watch.during((stop) =>
    perform(
      {
        job,
        plan,
        keys: gathered.keys,
        fetched,
        engine,
        runtime,
        facts,
        left: () => maximumSeconds * 1000 - clock.elapsed(mark),
        simulated: enclave.worker.source.simulated,
        randomBytes: enclave.randomBytes,
      },
      stop,
    ),
  )
  wipeKeys(gathered.keys)

  // Results and failures alike leave at a point of the grid, after every lease was looked at once more.
  await started
  const finishedAt = await grid.nextPoint()
  await watch.check()
  const times = { startedAt: grid.startedAt, finishedAt }
  const whole = { ...result, engine: enclave.engineVersion }
  const receipt = await makeReceipt(
    job,
    made,
    start,
    gathered.parts,
    leases,
    whole,
    times,
    enclave.worker,
    signer,
  )
  await Promise.all(result.outputs.map((output) => upload(output, enclave)))
  await channel.record(receipt.jws)
  journal('receipt', { run: job.run, round, statement: receipt.id, code: result.outcome })
  if (result.outcome !== 'completed') return

  // Step 7. The keys of the outputs leave only when the quorum has the Receipt in its view of the log.
  const checkpoint = await awaitRecorded(job, receipt, run, log, watch, enclave)
  journal('recorded', { run: job.run, round, statement: receipt.id })
  await watch.check()
  expectPermit(job, 'publish', {
    now: clock.now(),
    request: requestFact(job),
    releases: releaseFacts(gathered.parts, leases),
    receipt: receiptFact(receipt, log.cosignersOf(checkpoint)),
  })
  const outputKeys = await makeOutputKeys(job, made, receipt, checkpoint, result.outputs, signer)
  for (const output of result.outputs) output.wipe()
  await channel.record(outputKeys.jws)
  journal('output-keys', { run: job.run, round, statement: outputKeys.id })
}

/** Waits until every data owner has signed a nonce for this round. */
async function awaitNonces(
  job: Job,
  run: FollowedRun,
  record: RoundRecord,
  { clock }: Enclave,
): Promise<void> {
  const mark = clock.mark()
  const complete = await run.until(
    async () => {
      run.expectRound(record.place.round)
      await record.absorb(run.view.statements)
      return job.owners.every((owner) => record.nonces.has(owner)) ? true : null
    },
    () => limits.nonceSeconds - clock.elapsed(mark) / 1000,
  )
  if (complete === null)
    throw new EnclaveError('OFFER_EXPIRED', 'not every owner signed a nonce in time; no Offer was made')
}

/** Brings together what the owners give, the ciphertext and an engine; where one fails, what the others brought is given back. */
async function together(
  gathering: Promise<Gathered>,
  needed: readonly NeededSegment[],
  plan: RunnablePlan,
  enclave: Enclave,
) {
  const fetching = fetchInputs(needed, enclave.channel)
  const starting = enclave.dataEngine(needed.filter((segment) => !isModel(segment)).length)
  const warming = plan.reviewed.kind === 'infer' ? enclave.modelRuntime() : Promise.resolve(null)
  try {
    const [gathered, fetched, engine, runtime] = await Promise.all([gathering, fetching, starting, warming])
    return { gathered, fetched, engine, runtime }
  } catch (error) {
    fetching.then(discardInputs, () => undefined)
    starting.then(
      (engine) => {
        engine.kill()
      },
      () => undefined,
    )
    warming.then(
      (runtime) => runtime?.close(),
      () => undefined,
    )
    gathering.catch(() => undefined)
    throw error
  }
}

async function upload({ digest, size, file }: SealedOutput, { channel }: Enclave): Promise<void> {
  await withHandle(file, (handle) => channel.upload({ digest, size }, handle))
}

/**
 * Waits for proof that the quorum has the Receipt in its view of the log.
 * @throws EnclaveError `RECEIPT_UNRECORDED` where it does not come within the contract's `recordWaitSeconds`.
 */
async function awaitRecorded(
  job: Job,
  receipt: Verified<Receipt>,
  run: FollowedRun,
  log: RunLog,
  watch: LeaseWatch,
  { clock }: Enclave,
): Promise<CosignedCheckpoint> {
  const mark = clock.mark()
  const { recordWaitSeconds } = job.contract.terms.runs
  const logged = { type: 'receipt', statement: receipt, signer: receipt.payload.by, inRun: true } as const
  const checkpoint = await run.until(
    async () => {
      await watch.check()
      run.expectRound(receipt.payload.round)
      // The coordinator's word says when it is worth asking; what is then proven is not its word.
      if (run.view.state !== 'awaitingOutputKeys') return null
      return await log.recorded(logged)
    },
    () => recordWaitSeconds - clock.elapsed(mark) / 1000,
    () => watch.secondsLeft(),
  )
  if (checkpoint !== null) return checkpoint
  throw new EnclaveError(
    'RECEIPT_UNRECORDED',
    `Receipt ${receipt.id} was not in a checkpoint of the quorum within ${recordWaitSeconds} s; its outputs stay sealed`,
  )
}

function receiptFact({ payload }: Verified<Receipt>, cosigners: readonly Thumbprint[]): Facts['receipt'] {
  const outputs = payload.outputs.map(({ name, recipients }) => ({
    name,
    recipients: recipients.map(({ party }) => party),
  }))
  return { ...payload, outputs, cosigners }
}

function ownersOf({ owners, identities }: Job) {
  return new Map([...identities].filter(([party]) => owners.includes(party)))
}
