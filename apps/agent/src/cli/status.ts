import type { Command } from 'commander'
import { ClientError } from '#libs/client'
import type { Agent } from '../agent.js'
import { spaces } from '../store/records.js'
import { seenCheckpoint } from '../trust/log-follower.js'
import type { Frame } from './command-frame.js'
import { exitCodes } from './exit-codes.js'
import type { Session } from './session.js'
import { facts } from './table.js'
import type { Answer } from './world.js'

export function addStatusCommand(program: Command, frame: Frame): void {
  program
    .command('status')
    .summary('show this agent, its daemon and what waits for a person')
    .description('Shows this agent, its daemon, how far it followed the log, and what waits for a person.')
    .addHelpText('after', '\nExample:\n  $ sealroom status --json\n')
    .action(frame.action<[object]>(status))
}

interface Waiting {
  readonly run: string
  readonly computation: string
  readonly state: string
}

export async function status(session: Session): Promise<Answer> {
  const { agent, daemon } = await session.agent()
  const hello = (await daemon?.hello()) ?? null
  const seen = await seenCheckpoint(agent)
  const reached = await reach(agent)
  const restored = await agent.store.get(spaces.state, 'restored')
  const shown = {
    party: agent.keys.party,
    name: agent.config.name,
    coordinator: agent.config.coordinator,
    reachable: reached !== null,
    daemon: hello,
    log: { origin: agent.config.log.origin, size: seen?.size ?? 0 },
    pins: (await agent.store.list(spaces.pins)).length,
    datasets: (await agent.store.list(spaces.datasetVersions)).filter(([, { withdrawn }]) => !withdrawn)
      .length,
    restored: restored ?? null,
    waitingForAPerson: reached ?? [],
  }
  return {
    json: shown,
    text: [
      ...facts([
        ['party', `${shown.party} (${shown.name})`],
        ['home', session.home.folder],
        ['daemon', hello === null ? 'does not run' : `process ${hello.pid}, since ${hello.since}`],
        ['coordinator', `${shown.coordinator}, ${shown.reachable ? 'reachable' : 'NOT REACHABLE'}`],
        ['log', `${shown.log.origin}, read up to ${shown.log.size} entries`],
        ['pinned parties', String(shown.pins)],
        ['sealed versions', String(shown.datasets)],
        ...(agent.houseRules.allowSimulated
          ? ([['house rules', 'SIMULATED enclaves are allowed: they protect nothing']] as const)
          : []),
        ...(restored === undefined ? [] : ([['restored', `from a backup, ${restored}`]] as const)),
      ]),
      ...shown.waitingForAPerson.map(
        ({ run, computation }) =>
          `waits for a person: run ${run.slice(0, 12)} (${computation}): sealroom approve ${run.slice(0, 12)}`,
      ),
    ],
    exit: shown.reachable ? exitCodes.ok : exitCodes.unreachable,
  }
}

/** Runs that this agent's people have not answered, or null where the coordinator cannot be asked. */
async function reach(agent: Agent): Promise<readonly Waiting[] | null> {
  try {
    const { contracts } = await agent.client.contracts()
    const lists = await Promise.all(contracts.map(({ id }) => agent.client.runs(id)))
    const open = lists
      .flatMap(({ runs }) => runs)
      .filter(({ state }) => state === 'awaitingOwners' || state === 'awaitingApprovals')
    const waiting: Waiting[] = []
    for (const { id, computation, state } of open)
      if (((await agent.store.get(spaces.state, `waiting/${id}`)) ?? '') !== '')
        waiting.push({ run: id, computation, state })
    return waiting
  } catch (error) {
    if (error instanceof ClientError && error.code === 'COORDINATOR_UNREACHABLE') return null
    throw error
  }
}
