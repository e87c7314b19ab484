import type { RunView } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { contractIdFrom } from '../contracts/active-contract.js'
import { explainRun } from '../daemon/explain.js'
import { runIdFrom } from '../runs/find-run.js'
import { awaitRun, hasEnded } from '../runs/await-run.js'
import { spaces } from '../store/records.js'
import { followLog } from '../trust/log-follower.js'
import { hardwareText } from '../trust/hardware-text.js'
import { exitCodes } from './exit-codes.js'
import { explanationLines } from './explanation.js'
import type { Session } from './session.js'
import { facts, table } from './table.js'
import type { Answer } from './world.js'
import { partyNames } from './party-names.js'

export async function listRuns(session: Session, options: { contract?: string }): Promise<Answer> {
  const { agent } = await session.agent()
  const ids =
    options.contract === undefined
      ? (await agent.client.contracts()).contracts.map(({ id }) => id)
      : [await contractIdFrom(agent, options.contract)]
  const runs = (await Promise.all(ids.map((id) => agent.client.runs(id)))).flatMap((list) => list.runs)
  const ordered = runs.toSorted((a, b) => (a.requestedAt < b.requestedAt ? -1 : 1))
  return {
    json: { runs: ordered },
    text:
      ordered.length === 0
        ? ['no runs yet']
        : table(
            ['run', 'computation', 'state', 'requested', 'contract'],
            ordered.map((run) => [
              run.id.slice(0, 12),
              run.computation,
              run.state,
              run.requestedAt,
              run.contract.slice(0, 12),
            ]),
          ),
  }
}

export async function showRun(
  session: Session,
  given: string,
  options: { readonly wait?: boolean },
): Promise<Answer> {
  const { agent } = await session.agent()
  const run = await runIdFrom(agent, given)
  const labelOf = await partyNames(agent)
  const view =
    options.wait === true ? await endedRun(session, agent, run, labelOf) : await agent.client.run(run)
  const decision = await agent.store.get(spaces.consents, view.id)
  const verdict = await agent.store.list(spaces.checks, `${view.id}/attestation/`)
  const hardware = hardwareText(verdict.map(([, check]) => check))
  return {
    json: {
      run: view.id,
      contract: view.contract,
      computation: view.computation,
      state: view.state,
      round: view.round,
      waitingFor: view.waitingFor,
      endedBecause: view.endedBecause,
      requestedAt: view.requestedAt,
      outputs: view.outputs,
      hardware,
      statements: view.statements.map(({ type, id, digest, index }) => ({ type, id, digest, index })),
    },
    text: [
      ...runLines(view, labelOf),
      ...(hardware === null ? [] : facts([['hardware', hardware]])),
      ...(decision === undefined
        ? []
        : [`this owner's people ${decision.allow ? 'allowed' : 'denied'} it at ${decision.at}`]),
    ],
    exit: hasEnded(view) ? exitCodes.ok : exitCodes.waiting,
  }
}

export async function explain(session: Session, given: string): Promise<Answer> {
  const { agent } = await session.agent()
  const run = await runIdFrom(agent, given)
  await followLog(agent)
  const explanation = await explainRun(agent, run)
  return { json: explanation, text: explanationLines(explanation) }
}

/** What a run waits for, in one line. */
export function waitingText(view: RunView, labelOf: (party: string) => string): string {
  const waits = view.waitingFor.map((waiting) => waitingFor(waiting, labelOf))
  return waits.length === 0 ? view.state : `${view.state}: ${waits.join('; ')}`
}

function waitingFor(
  { what, whom, reason }: RunView['waitingFor'][number],
  labelOf: (party: string) => string,
): string {
  const of = whom.length === 0 ? '' : ` of ${whom.map((party) => shortKey(labelOf(party))).join(', ')}`
  return `${what}${of}${reason === '' ? '' : ` (${reason})`}`
}

/** A run as people see it. */
export function runLines(view: RunView, labelOf: (party: string) => string): string[] {
  const pairs: [string, string][] = [
    ['run', view.id],
    ['contract', view.contract],
    ['computation', view.computation],
    ['requested', view.requestedAt],
    ['state', view.state],
  ]
  if (view.round > 0) pairs.push(['round', String(view.round)])
  if (view.endedBecause !== null) pairs.push(['because', view.endedBecause])
  for (const waiting of view.waitingFor) pairs.push(['waits for', waitingFor(waiting, labelOf)])
  for (const { name, size } of view.outputs) pairs.push(['output', `${name}, ${size} bytes sealed`])
  return facts(pairs)
}

// A key that no party has is an enclave's, fresh for the run.
function shortKey(name: string): string {
  return /^[A-Za-z0-9_-]{43}$/.test(name) ? `enclave ${name.slice(0, 12)}…` : name
}

/** The run once it has ended; says on the way what it waits for. @throws AgentError `WAITING` where the person stops waiting. */
export async function endedRun(
  session: Session,
  agent: Agent,
  run: string,
  labelOf: (party: string) => string,
): Promise<RunView> {
  const { signal, wait } = session.world
  return await awaitRun(agent, run, {
    signal,
    wait,
    onState: (seen) => {
      session.note(waitingText(seen, labelOf))
    },
  })
}
