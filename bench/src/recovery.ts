/** How long a SIGKILL of the coordinator on its embedded database is felt: by whoever asks, and by a run that was under way. */
import { setTimeout as pause } from 'node:timers/promises'
import { routes, runEndStates } from '#libs/protocol'
import { median, requester, startCollaboration, type Collaboration } from './collaboration.js'
import type { BenchRow } from './row.js'
import { firstResult } from './runs.js'

const kills = 5
const aimMilliseconds = 3000
const giveUpMilliseconds = 60_000
const askAgainMilliseconds = 10
const beforeRound: readonly string[] = ['', 'awaitingOwners', 'awaitingWorker']

interface Recovery {
  readonly answeredAfter: number
  readonly wentOnAfter: number
}

/** Kills the coordinator in the middle of runs and starts it again at once, as a supervisor of services would. */
export async function benchRecovery(): Promise<readonly BenchRow[]> {
  const collaboration = await startCollaboration()
  try {
    const { contract } = await firstResult(collaboration)
    const recoveries: Recovery[] = []
    while (recoveries.length < kills) {
      const recovery = await killUnder(collaboration, contract)
      // A run that had ended before it was looked at says nothing.
      if (recovery !== null) recoveries.push(recovery)
    }
    return [
      row('first answered request', median(recoveries.map(({ answeredAfter }) => answeredAfter))),
      row('a run under way goes on', median(recoveries.map(({ wentOnAfter }) => wentOnAfter))),
    ]
  } finally {
    await collaboration.close()
  }
}

async function killUnder({ stack, sealroom }: Collaboration, contract: string): Promise<Recovery | null> {
  const words = ['--contract', contract, '--computation', 'people', '--purpose', 'measuring']
  const run = String((await sealroom(requester, 'run', 'request', ...words))['run'])
  const before = await until(async () => {
    const state = await look(sealroom, run)
    return beforeRound.includes(state) ? null : state
  })
  if (isEnd(before)) return null
  const killed = performance.now()
  await stack.coordinator.kill()
  const restarted = stack.restartCoordinator()
  restarted.catch(() => undefined)
  const answeredAfter = await until(async () => {
    const { ok } = await fetch(new URL(routes.log, stack.directUrl))
    return ok ? performance.now() - killed : null
  })
  // What stood at the kill may be later than what was seen before it, so the first state after the start is what must change.
  const found = await until(() => look(sealroom, run))
  const wentOnAfter = isEnd(found)
    ? answeredAfter
    : await until(async () => ((await look(sealroom, run)) === found ? null : performance.now() - killed))
  await restarted
  await until(async () => (isEnd(await look(sealroom, run)) ? true : null))
  return { answeredAfter, wentOnAfter }
}

/** The state of a run, as the requester's own command reads it; `run show` answers with an exit code while a run is open. */
async function look(sealroom: Collaboration['sealroom'], run: string): Promise<string> {
  const { runs } = await sealroom(requester, 'run', 'list')
  return (runs as readonly { id: string; state: string }[]).find(({ id }) => id === run)?.state ?? ''
}

/** Asks again and again until there is an answer; a coordinator that is not there gives none. */
async function until<T>(ask: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + giveUpMilliseconds
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      if (performance.now() > deadline) throw error
      return null
    })
    if (answer !== null) return answer
    if (performance.now() > deadline) throw new Error(`nothing came within ${giveUpMilliseconds} ms`)
    await pause(askAgainMilliseconds)
  }
}

function isEnd(state: string): boolean {
  return (runEndStates as readonly string[]).includes(state)
}

function row(what: string, milliseconds: number): BenchRow {
  return {
    what: `coordinator killed: ${what}, median of ${kills}`,
    measured: `${milliseconds.toFixed(0)} ms`,
    peer: `limit ${aimMilliseconds} ms`,
    ratio: (milliseconds / aimMilliseconds).toFixed(2),
    aim: '< 1',
    met: milliseconds < aimMilliseconds,
  }
}
