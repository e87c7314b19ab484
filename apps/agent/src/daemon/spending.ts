/**
 * The chain of Spends of each dataset (design: invariant 7). A Spend is signed once, is on disk before it is sent, and is
 * never taken back; what may have been used counts as used.
 */
import {
  fromBase64url,
  parseCanonical,
  signStatement,
  statementId,
  type Digest,
  type Verified,
} from '#libs/canonical'
import { runRequestKind, spendKind, type Amounts, type KeyRelease, type Spend } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import { spaces, type SpendHeadRecord, type SpendRecord } from '../store/records.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import { newStatement } from '../trust/new-statement.js'
import { changeRun } from './run-record.js'

/** What one run of exact SQL costs: one run; rows and privacy budgets belong to other kinds of computation. */
export const oneRun: Amounts = { runs: 1, rows: 0, epsilonMicro: 0, deltaPico: 0 }

const nothingSpent: SpendHeadRecord = {
  sequence: 0,
  total: { runs: 0, rows: 0, epsilonMicro: 0, deltaPico: 0 },
  id: null,
}

/** The Spends of this agent in a run, by dataset. */
export async function spendsOf(agent: Agent, run: Digest): Promise<ReadonlyMap<string, SpendRecord>> {
  const records = await agent.store.list(spaces.spends, `${run}/`)
  return new Map(records.map(([, record]) => [record.dataset, record]))
}

/**
 * Signs the next Spend of each dataset and writes all of them, or returns the ones made before: asking twice spends once.
 * The caller must not run this twice at a time.
 */
export async function spend(
  agent: Agent,
  contract: VerifiedContract,
  run: { readonly id: Digest; readonly computation: string },
  datasets: readonly string[],
): Promise<readonly SpendRecord[]> {
  const made = await spendsOf(agent, run.id)
  if (made.size > 0) return [...made.values()]
  const records = await Promise.all(datasets.map((dataset) => nextSpend(agent, contract, run, dataset)))
  const changes = records.flatMap((record) => [
    agent.store.put(spaces.spends, `${run.id}/${record.dataset}`, record),
    agent.store.put(spaces.spendHeads, headKey(contract, record.dataset), headOf(record)),
  ])
  await agent.store.write(...changes)
  return records
}

async function nextSpend(
  agent: Agent,
  contract: VerifiedContract,
  run: { readonly id: Digest; readonly computation: string },
  dataset: string,
): Promise<SpendRecord> {
  const head = (await agent.store.get(spaces.spendHeads, headKey(contract, dataset))) ?? nothingSpent
  const total = addAmounts(head.total, oneRun)
  const sequence = head.sequence + 1
  const statement = await signStatement(
    spendKind,
    {
      ...newStatement(agent, 'spend'),
      contract: contract.id,
      run: run.id,
      dataset,
      amounts: oneRun,
      sequence,
      total,
      previous: head.id,
    },
    agent.keys.daemonKey,
  )
  return {
    dataset,
    computation: run.computation,
    contract: contract.id,
    statement: statement.jws,
    id: statement.id,
    digest: statement.digest,
    sequence,
    total,
    at: statement.payload.issuedAt,
  }
}

/**
 * Takes over a Spend of this agent's own that stands in the log and not in its store: the larger count wins, and nothing
 * more is ever released for that run.
 * @throws AgentError `LOG_MISBEHAVED` where the log holds another Spend of the same number than the store.
 */
export async function adoptSpend(
  agent: Agent,
  contract: VerifiedContract,
  spend: Verified<Spend>,
): Promise<void> {
  const { run, dataset, sequence, total } = spend.payload
  await expectSameNumberSameSpend(agent, spend)
  const head = (await agent.store.get(spaces.spendHeads, headKey(contract, dataset))) ?? nothingSpent
  const computation = await requestedComputation(agent, run)
  const record: SpendRecord = {
    dataset,
    computation,
    contract: contract.id,
    statement: spend.jws,
    id: spend.id,
    digest: spend.digest,
    sequence,
    total,
    at: spend.payload.issuedAt,
  }
  await changeRun(agent, contract.id, run, { adopted: true })
  await agent.store.write(
    agent.store.put(spaces.spends, `${run}/${dataset}`, record),
    ...(sequence > head.sequence
      ? [agent.store.put(spaces.spendHeads, headKey(contract, dataset), headOf(record))]
      : []),
  )
  agent.report({ what: 'spend adopted from the log', run, dataset, sequence })
}

/** Takes note of a KeyRelease of this agent's own that stands in the log and not in its store: that run gets no other. */
export async function adoptRelease(
  agent: Agent,
  contract: VerifiedContract,
  { payload: { run, dataset } }: Verified<KeyRelease>,
): Promise<void> {
  await changeRun(agent, contract.id, run, { adopted: true })
  agent.report({ what: 'release adopted from the log', run, dataset })
}

// A run's id is the digest of its request, so the request shown is the one that was spent on, or it is none.
async function requestedComputation(agent: Agent, run: Digest): Promise<string> {
  const { statements } = await agent.client.run(run)
  for (const { type, statement } of statements) {
    if (type !== 'run-request') continue
    const bytes = fromBase64url(statement.split('.')[1] ?? '')
    if (statementId('run-request', bytes) !== run) continue
    return runRequestKind.parse(parseCanonical(bytes)).computation
  }
  throw new AgentError(
    'RUN_NOT_VERIFIED',
    `the request of run ${run}, which this agent has spent on, is not shown`,
  )
}

async function expectSameNumberSameSpend(agent: Agent, { id, payload }: Verified<Spend>): Promise<void> {
  for (const [, known] of await agent.store.list(spaces.spends))
    if (
      known.contract === payload.contract &&
      known.dataset === payload.dataset &&
      known.sequence === payload.sequence &&
      known.id !== id
    )
      throw new AgentError(
        'LOG_MISBEHAVED',
        `two Spends of ${payload.dataset} have number ${payload.sequence}: ${known.id} and ${id}; this agent's keys were used in two places`,
      )
}

/** How often this agent has spent on a computation of a contract, and how often no completed Receipt followed. */
export async function countSpends(
  agent: Agent,
  contract: Digest,
  computation: string,
  except: Digest,
): Promise<{ readonly runs: number; readonly failures: number }> {
  const spent = new Set<Digest>()
  for (const [key, record] of await agent.store.list(spaces.spends)) {
    const run = key.split('/')[0] ?? ''
    if (record.contract === contract && record.computation === computation && run !== except) spent.add(run)
  }
  let failures = 0
  for (const run of spent) if ((await agent.store.get(spaces.runs, run))?.outcome !== 'completed') failures++
  return { runs: spent.size, failures }
}

/** How many runs this agent has spent on since a time, under all contracts. */
export async function runsSpentSince(agent: Agent, since: number): Promise<number> {
  const recent = (await agent.store.list(spaces.spends)).filter(([, { at }]) => Date.parse(at) >= since)
  return new Set(recent.map(([key]) => key.split('/')[0])).size
}

function headOf({ sequence, total, id }: SpendRecord): SpendHeadRecord {
  return { sequence, total, id }
}

function headKey(contract: VerifiedContract, dataset: string): string {
  return `${contract.id}/${dataset}`
}

function addAmounts(a: Amounts, b: Amounts): Amounts {
  return {
    runs: a.runs + b.runs,
    rows: a.rows + b.rows,
    epsilonMicro: a.epsilonMicro + b.epsilonMicro,
    deltaPico: a.deltaPico + b.deltaPico,
  }
}
