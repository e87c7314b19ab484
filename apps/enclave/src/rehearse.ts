/**
 * A run of made-up parties, before there is a real one: everything but the opening of data. An instance that cannot do it does not
 * register; one that can has its code compiled when a run comes, which is most of what a small run would otherwise wait for.
 */
import type { Engine } from '#libs/engine'
import type { ReleasedOutput } from '#libs/protocol'
import { completeParts, expectPermit, joinKeys, openRelease, proveRecorded, startFacts } from './begin.js'
import { EnclaveClock } from './enclave-clock.js'
import { EnclaveError } from './errors.js'
import { freshKeys } from './fresh-keys.js'
import { Leases } from './leases.js'
import { makeOffer, type OfferedWorker } from './make-offer.js'
import { makeOutputKeys } from './output-keys.js'
import { sealOutputs } from './outputs.js'
import { expectRunnable, planComputation, prepareWork } from './plan.js'
import { makeReceipt } from './receipt.js'
import { RehearsalWorld } from './rehearsal-world.js'
import { RoundRecord } from './round-record.js'
import { logTermsOf, RunLog } from './run-log.js'
import { signStart } from './sign-start.js'
import { verifyJob } from './verify-job.js'

/**
 * Plays one run at a time of the host's clock, which decides nothing here but whether the vendor's certificates are valid: a worker whose
 * evidence could not stand up to owners is better noticed before there is a run.
 * @throws whatever would end a run: a worker that throws here must not take one.
 */
export async function rehearse(
  worker: OfferedWorker,
  parser: Pick<Engine, 'parse'>,
  randomBytes: (length: number) => Uint8Array,
  now: number,
): Promise<void> {
  const world = await RehearsalWorld.make(randomBytes, now)
  const assignment = await world.assignment(await worker.source.entryAt(now))
  const job = await verifyJob(assignment, world.log)
  const plan = expectRunnable(job, await planComputation(job, parser))
  const clock = new EnclaveClock(() => 0)
  const record = new RoundRecord(
    { contract: job.contract.id, run: job.run, round: 1, owners: job.identities },
    clock,
  )
  await record.absorb(assignment.run.statements)

  const keys = await freshKeys(randomBytes)()
  const { origin } = job.contract.terms.log
  const signer = { receiptKey: keys.receipt, origin, now: () => clock.now(), randomBytes }
  const made = await makeOffer(job, record, keys, worker, signer)
  record.expectOffer(made.set, made.offer.id)
  await record.absorb(await world.answer(assignment, made.offer, job.inputs[0]?.manifest.id ?? ''))
  const parts = completeParts(job, record)
  if (parts === null) throw new EnclaveError('ASSIGNMENT_INVALID', 'the rehearsal is not complete')

  const leases = new Leases(clock, job.contract.terms.runs.leaseSeconds)
  for (const { release } of parts) leases.begin(release)
  const opened = await Promise.all(
    parts.map(({ release }) => openRelease(job, made, release, new Set(['id']))),
  )
  const log = new RunLog(logTermsOf(job), world.channel(), clock)
  const proven = await proveRecorded(job, assignment.run, record, log)
  const context = { query: plan.fact, now: clock.now(), executedBefore: false }
  expectPermit(job, 'start', startFacts(job, made, parts, joinKeys(parts, opened), proven, leases, context))

  const start = await signStart(job, made, parts, signer)
  prepareWork(job, plan, {})
  const outputs = await sealOutputs(
    [emptyOutput(job.contract.id, job.run, worker.source.simulated)],
    randomBytes,
  )
  const times = { startedAt: start.payload.issuedAt, finishedAt: start.payload.issuedAt }
  const result = {
    outcome: 'completed',
    outputs: outputs ?? [],
    engine: { name: 'none', version: '0' },
  } as const
  const receipt = await makeReceipt(job, made, start, parts, leases, result, times, worker, signer)
  const checkpoint = await log.seenByQuorum()
  if (checkpoint !== null) await makeOutputKeys(job, made, receipt, checkpoint, result.outputs, signer)
  for (const output of result.outputs) output.wipe()
}

function emptyOutput(contract: string, run: string, simulated: boolean): ReleasedOutput {
  const says = {
    control: 'minimumGroupSize',
    says: '',
    rowsBefore: 0,
    rowsAfter: 0,
    columnsAfter: 1,
    changedCells: 0,
  }
  return {
    type: 'sealroom/output/v1',
    contract,
    run,
    output: 'result',
    table: { columns: [{ name: 'n', type: 'int' }], rows: 0, values: [[]] },
    controls: [says],
    simulated,
  }
}
