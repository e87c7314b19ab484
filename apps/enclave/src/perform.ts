/**
 * The part of a run that sees data: opens, loads, computes in the sandboxed child, applies the controls in the trusted parent, seals.
 * Whatever happens in here comes out as sealed outputs or as one word of the closed list of outcomes, and in no other way.
 */
import { parseCanonical } from '#libs/canonical'
import { parseParameters, type ParameterSet } from '#libs/computation'
import { labelOf, type Facts, type FactsOf } from '#libs/contract'
import type { Engine } from '#libs/engine'
import { openBytes, requestPartContext, unpad } from '#libs/envelope'
import type { CheckedModel } from '#libs/model'
import { requestPartSchema, type ReleasedOutput, type RequestPart } from '#libs/protocol'
import type { ModelRuntime } from '#libs/runtime'
import { expectPermit, type OpenedKeys } from './begin.js'
import { isModel, loadTables, openInputs, type FetchedSegment } from './inputs.js'
import { outcomeOf, RunFailure } from './outcome.js'
import { sealOutputs, type SealedOutput } from './outputs.js'
import { engineTables, prepareWork, type PreparedWork, type RunnablePlan } from './plan.js'
import type { RunResult } from './receipt.js'
import { openModel, scoreOutputs } from './score-rows.js'
import { computeQuery, trainOutputs } from './work-kinds.js'
import type { Job } from './verify-job.js'

/** Everything that the work needs. All of it was verified; `facts` are asked for again when they are needed, since time passes. */
export interface Work {
  readonly job: Job
  readonly plan: RunnablePlan
  readonly keys: OpenedKeys
  readonly fetched: readonly FetchedSegment[]
  readonly engine: Engine
  /** The child that runs a model; null where the computation applies none. */
  readonly runtime: ModelRuntime | null
  readonly facts: () => FactsOf<'start'>
  /** Milliseconds that are left of the contract's `maximumSeconds`. */
  readonly left: () => number
  readonly simulated: boolean
  readonly randomBytes: (length: number) => Uint8Array
}

/** Does the work. Never throws for what data, query or engine do: that is an outcome. */
export async function perform(work: Work, stop: AbortSignal): Promise<Omit<RunResult, 'engine'>> {
  const { engine, runtime, left } = work
  const lateness = { late: false }
  const end = () => {
    engine.kill()
    void runtime?.close()
  }
  const timer = setTimeout(
    () => {
      lateness.late = true
      end()
    },
    Math.min(left(), longestTimer),
  )
  stop.addEventListener('abort', end, { once: true })
  try {
    return { outcome: 'completed', outputs: await compute(work) }
  } catch (error) {
    return { outcome: lateness.late ? 'timedOut' : outcomeOf(error), outputs: [] }
  } finally {
    clearTimeout(timer)
    end()
  }
}

async function compute(work: Work): Promise<readonly SealedOutput[]> {
  const { job, plan, engine, keys } = work
  const request = openRequest(job, keys)
  const parameters = typed(job, request)
  const tables = work.fetched.filter((segment) => !isModel(segment))
  const opened = await openInputs(tables, keys, engine)
  await engine.load(
    loadTables(engineTables(job, plan), opened, (owner) => labelOf(job.contract.terms, owner) ?? owner),
  )
  await engine.lock()
  const model =
    plan.reviewed.kind === 'infer' ? await openModel(work.fetched, keys, plan.reviewed.face) : null
  const prepared = prepareWork(job, plan, parameters)
  permitted(job, {
    ...work.facts(),
    openedInputs: openedFacts(job),
    parameters: request.parameters,
    requestQuery: request.query,
    groupSizes: prepared.groupSizes,
  })
  const sealed = await sealOutputs(await outputsOf(work, prepared, model), work.randomBytes)
  if (sealed === null) throw new RunFailure('resultTooLarge')
  return sealed
}

async function outputsOf(
  work: Work,
  prepared: PreparedWork,
  model: CheckedModel | null,
): Promise<readonly ReleasedOutput[]> {
  if (prepared.kind === 'train') return await trainOutputs(work, prepared)
  if (prepared.kind === 'infer') {
    const { runtime } = work
    if (runtime === null || model === null) throw new RunFailure('engineFailed')
    return await scoreOutputs({ ...work, runtime }, prepared, model)
  }
  const released: ReleasedOutput[] = []
  for (const output of prepared.outputs) released.push(await computeQuery(work, output))
  return released
}

// By now what does not have the contract's columns, bounds and units was refused, and a model that has another face. A model has no
// units that could be missing.
function openedFacts({ inputs }: Job): Facts['openedInputs'] {
  return inputs.map(({ dataset, owner }) => ({
    dataset,
    owner,
    schemaMatches: true,
    withinBounds: true,
    unitPresent: true,
  }))
}

function openRequest(
  { contract, request, sealedPart }: Job,
  { requestKeys: [dataKey] }: OpenedKeys,
): RequestPart {
  try {
    const context = requestPartContext({ contract: contract.id, requester: request.payload.by })
    const padded = openBytes({ dataKey: dataKey ?? new Uint8Array(0), context }, sealedPart)
    return requestPartSchema.parse(parseCanonical(unpad(padded)))
  } catch (cause) {
    throw new RunFailure('requestInvalid', { cause })
  }
}

function typed({ computation }: Job, request: RequestPart): ParameterSet {
  try {
    return parseParameters(computation.parameters, request.parameters)
  } catch (cause) {
    throw new RunFailure('requestInvalid', { cause })
  }
}

function permitted(job: Job, facts: FactsOf<'execute'>): void {
  try {
    expectPermit(job, 'execute', facts)
  } catch (cause) {
    throw new RunFailure('requestInvalid', { cause })
  }
}

/** Node's timers hold 31 bits of milliseconds; a longer run is ended by its engine's own limits. */
const longestTimer = 2 ** 31 - 1
