import { computationOf } from '#libs/contract'
import type { RunView } from '#libs/protocol'
import { activeContract, contractIdFrom } from '../contracts/active-contract.js'
import { AgentError } from '../errors.js'
import { runIdFrom } from '../runs/find-run.js'
import { readParameters } from '../runs/parameters.js'
import { makeRequest, sendRequest } from '../runs/request-run.js'
import { exitCodes } from './exit-codes.js'
import { endedRun, runLines } from './run-show.js'
import type { Session } from './session.js'
import type { Answer } from './world.js'

export interface RequestOptions {
  readonly contract: string
  readonly computation: string
  readonly param: readonly string[]
  readonly purpose: string
  readonly validHours: number
  readonly wait?: boolean
}

export async function requestRun(session: Session, options: RequestOptions): Promise<Answer> {
  if (Number.isNaN(options.validHours))
    throw new AgentError('USAGE', '--valid-hours: expected a whole number from 1 to 9999')
  const { agent } = await session.agent()
  const contract = await activeContract(agent, await contractIdFrom(agent, options.contract))
  const terms = computationOf(contract.terms, options.computation)
  if (terms === undefined)
    throw new AgentError(
      'USAGE',
      `contract ${contract.terms.name} has no computation ${options.computation}; it has ${Object.keys(contract.terms.computations).join(', ')}`,
    )
  const request = await makeRequest(agent, contract, {
    computation: options.computation,
    terms,
    parameters: readParameters(options.param, terms),
    purpose: options.purpose,
    validHours: options.validHours,
  })
  const run = await sendRequest(agent, request)
  if (options.wait !== true)
    return { json: { run }, text: [`run ${run} is requested: see \`sealroom run show ${run.slice(0, 12)}\``] }
  return endedAnswer(await endedRun(session, agent, run, contract.labelOf), contract.labelOf)
}

export async function cancelRun(session: Session, given: string): Promise<Answer> {
  const { agent } = await session.agent()
  const run = await runIdFrom(agent, given)
  await agent.client.cancel(run)
  return { json: { run }, text: [`run ${run} is cancelled`] }
}

function endedAnswer(view: RunView, labelOf: (party: string) => string): Answer {
  return {
    json: { run: view.id, state: view.state, endedBecause: view.endedBecause },
    text: [
      ...runLines(view, labelOf),
      ...(view.state === 'completed'
        ? ['', `take the result: sealroom run result ${view.id.slice(0, 12)} --out <folder>`]
        : []),
    ],
    exit: view.state === 'completed' ? exitCodes.ok : exitCodes.refused,
  }
}
