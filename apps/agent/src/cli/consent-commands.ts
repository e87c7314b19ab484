import type { Command } from 'commander'
import { activeContract } from '../contracts/active-contract.js'
import { AgentError } from '../errors.js'
import {
  expectAsked,
  recordDecision,
  sendApproval,
  standingOf,
  type PersonsAnswer,
} from '../runs/answer-run.js'
import { runIdFrom } from '../runs/find-run.js'
import type { Frame } from './command-frame.js'
import { wholeNumber } from './run-commands.js'
import type { Session } from './session.js'
import type { Answer } from './world.js'

interface AnswerOptions {
  readonly reason?: string
  readonly validHours: number
}

export function addConsentCommands(program: Command, frame: Frame): void {
  program
    .command('approve <run>')
    .summary('say yes to a run')
    .description(
      'Says yes to a run: as an approver that the contract names, signed with the consent key; as a data owner, this owner’s own\n' +
        'decision, on which its daemon acts.',
    )
    .option('--reason <text>', 'a note for this agent’s own records')
    .option('--valid-hours <hours>', 'how long an approval holds', wholeNumber, 24)
    .addHelpText('after', '\nExample:\n  $ sealroom approve 9be01c\n')
    .action(
      frame.action<[string, AnswerOptions]>((session, run, options) => answer(session, run, true, options)),
    )
  program
    .command('deny <run>')
    .summary('say no to a run')
    .description('Says no to a run. A denial of an approver, or of a data owner, ends it.')
    .requiredOption('--reason <text>', 'why; whoever asked for the run reads it')
    .option('--valid-hours <hours>', 'how long a denial holds', wholeNumber, 24)
    .addHelpText('after', '\nExample:\n  $ sealroom deny 9be01c --reason "purpose is not covered"\n')
    .action(
      frame.action<[string, AnswerOptions]>((session, run, options) => answer(session, run, false, options)),
    )
}

/** A person's answer. */
export async function answer(
  session: Session,
  given: string,
  allow: boolean,
  options: AnswerOptions,
): Promise<Answer> {
  if (Number.isNaN(options.validHours))
    throw new AgentError('USAGE', '--valid-hours: expected a whole number from 1 to 9999')
  const { agent, daemon } = await session.agent()
  const view = await agent.client.run(await runIdFrom(agent, given))
  const contract = await activeContract(agent, view.contract)
  const standing = standingOf(agent, contract, view.computation)
  expectAsked(standing, view)
  const person: PersonsAnswer = { allow, reason: options.reason ?? '', validHours: options.validHours }
  // Before anything is written: a passphrase that does not open changes nothing.
  const consent = standing.approver
    ? await session.consentKey(allow ? 'approve the run' : 'deny the run')
    : null
  if (standing.owner) {
    await recordDecision(agent, view.id, person)
    await daemon?.tell('nudge')
  }
  if (consent !== null) await sendApproval(agent, contract, view.id, consent, person)
  const as = [standing.approver ? 'approver' : '', standing.owner ? 'data owner' : ''].filter(
    (role) => role !== '',
  )
  const word = allow ? 'approved' : 'denied'
  return {
    json: { run: view.id, answer: word, as },
    text: [
      `run ${view.id.slice(0, 12)} (${view.computation}) is ${word} as ${as.join(' and ')}`,
      ...(standing.owner && daemon === null
        ? ['the daemon of this agent does not run: it acts on this when it is started (sealroom daemon)']
        : []),
    ],
  }
}
