/** What an agent checks before its people sign: who the others are, whether it is its own log, whether it is not too late. */
import { CodedError, fromHex, thumbprintOf } from '#libs/canonical'
import { endOfDay, isSimulatedOnly, type ContractTerms } from '#libs/contract'
import type { RefusalReason } from '#libs/protocol'
import { agreeWithView, verifySignedCheckpoint } from '#libs/translog'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import { followLog, logView } from '../trust/log-follower.js'
import type { VerifiedProposal } from '../trust/verify-contract.js'
import { queryProblems } from './check-queries.js'

/** One check, as it is shown. */
export interface SigningCheck {
  readonly check: string
  readonly ok: boolean
  readonly reason: RefusalReason | null
}

/** All checks; a party signs only where every one holds. */
export async function checkBeforeSigning(
  agent: Agent,
  proposal: VerifiedProposal,
): Promise<readonly SigningCheck[]> {
  const { terms } = proposal
  return [
    ...pinChecks(proposal),
    check(
      'this party is a signatory',
      isSignatory(agent, terms),
      'a signatory of the contract',
      agent.keys.party,
      'the proposer',
    ),
    check(
      'the proposal is open',
      agent.now() <= endOfDay(terms.governance.proposalExpires),
      'a day up to the last one for signing',
      terms.governance.proposalExpires,
      'the proposer, by a new proposal',
    ),
    check(
      'the contract is not over',
      agent.now() <= endOfDay(terms.valid.until),
      'a last day that is not past',
      terms.valid.until,
      'the proposer, by a new proposal',
    ),
    ...logChecks(agent, terms),
    await checkpointCheck(agent, terms),
    simulationCheck(agent, terms),
    ...(await queryChecks(terms)),
  ]
}

/** @throws AgentError `REFUSED` with a reason for every check that does not hold. */
export function expectAll(checks: readonly SigningCheck[]): void {
  const reasons = checks.flatMap(({ reason }) => (reason === null ? [] : [reason]))
  if (reasons.length > 0) throw new AgentError('REFUSED', 'this contract is not signed', { reasons })
}

function pinChecks({ terms, unpinned }: VerifiedProposal): readonly SigningCheck[] {
  if (unpinned.length === 0) return [check('every party is pinned', true, '', '', '')]
  return unpinned.map((label) =>
    check(
      `${label} is pinned`,
      false,
      'a consent key that this agent’s people have compared',
      `${terms.parties[label]?.key ?? ''}, not compared`,
      `this agent's people: compare it with ${label}, then sealroom pin ${label} ${terms.parties[label]?.key ?? ''}`,
    ),
  )
}

function logChecks(agent: Agent, { log }: ContractTerms): readonly SigningCheck[] {
  const pinned = agent.config.log
  const who = 'the proposer'
  return [
    check(
      'the log is the pinned one',
      log.origin === pinned.origin && log.key === pinned.logKey.x,
      `${pinned.origin} under ${pinned.logKey.x}`,
      `${log.origin} under ${log.key}`,
      who,
    ),
    check(
      'the coordinator is the pinned one',
      log.coordinator === thumbprintOf(pinned.coordinatorKey),
      thumbprintOf(pinned.coordinatorKey),
      log.coordinator,
      who,
    ),
  ]
}

/** Whether the log that the proposer saw and the one that this agent followed are one log. */
async function checkpointCheck(agent: Agent, { log }: ContractTerms): Promise<SigningCheck> {
  const name = 'the named checkpoint agrees with this agent’s own view of the log'
  try {
    const { origin, logKey } = agent.config.log
    const named = await verifySignedCheckpoint(log.checkpoint, { origin, key: logKey })
    const seen = await followLog(agent, named.size)
    const proof =
      named.size === 0 || named.size === seen.size
        ? []
        : (await agent.client.consistency(named.size, seen.size)).proof.map(fromHex)
    agreeWithView(await logView(agent), named, proof)
    return check(name, true, '', '', '')
  } catch (error) {
    // Whether the coordinator can be reached is not what is being checked here.
    if (!(error instanceof CodedError) || error.code === 'COORDINATOR_UNREACHABLE') throw error
    return check(
      name,
      false,
      'a checkpoint that this agent’s view extends',
      error.message,
      'the operator of the log; keep both checkpoints: they may be proof of misbehaviour',
    )
  }
}

function simulationCheck(agent: Agent, { enclaves }: ContractTerms): SigningCheck {
  return check(
    'the enclaves protect data, or house rules allow that they do not',
    !isSimulatedOnly(enclaves) || agent.houseRules.allowSimulated,
    'hardware enclaves',
    'simulated ones, which protect nothing',
    'this agent’s people: sealroom rules allow-simulated on',
  )
}

async function queryChecks(terms: ContractTerms): Promise<readonly SigningCheck[]> {
  const problems = await queryProblems(terms)
  if (problems.length === 0) return [check('every query is understood', true, '', '', '')]
  return problems.map(({ computation, code, message }) =>
    check(
      `the query of ${computation} is understood`,
      false,
      'a query that can be checked and controlled',
      `${code}: ${message}`,
      'the proposer',
    ),
  )
}

function isSignatory(agent: Agent, terms: ContractTerms): boolean {
  return terms.governance.signatories.some((label) => terms.parties[label]?.key === agent.keys.party)
}

function check(name: string, ok: boolean, expected: string, seen: string, who: string): SigningCheck {
  const reason = ok
    ? null
    : {
        rule: 'contract.sign',
        expected: expected.slice(0, 500),
        seen: seen.slice(0, 500),
        who: who.slice(0, 200),
        text: name.slice(0, 1000),
      }
  return { check: name, ok, reason }
}
