/** House rules: what this agent's own people let its daemon do by itself. */
import type { Command } from 'commander'
import { contractIdFrom } from '../contracts/active-contract.js'
import type { HouseRules } from '../consent/house-rules.js'
import { writeDurably } from '../durable-file.js'
import { AgentError } from '../errors.js'
import { expectHome, readHouseRules } from '../home.js'
import type { Frame } from './command-frame.js'
import type { Session } from './session.js'
import { facts } from './table.js'
import type { Answer } from './world.js'

export function addRulesCommands(program: Command, frame: Frame): void {
  const rules = program
    .command('rules')
    .description("house rules: what this agent's people let its daemon do by itself")
  rules
    .command('show')
    .description('Shows the house rules. What they do not allow waits for `sealroom approve`.')
    .addHelpText('after', '\nExample:\n  $ sealroom rules show\n')
    .action(frame.action<[object]>(showRules))
  rules
    .command('automatic <contract> [computations...]')
    .description(
      'Lets the daemon answer by itself for these computations of a contract, or for all; with --off for none.',
    )
    .option('--off', 'every run of the contract waits for a person again')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sealroom rules automatic 4f2a91 readmissions_by_ward\n  $ sealroom rules automatic 4f2a91 --off\n',
    )
    .action(frame.action<[string, string[], { off?: boolean }]>(setAutomatic))
  rules
    .command('allow-simulated <on-or-off>')
    .description(
      'Whether this agent takes part in contracts whose enclaves are simulated. They protect nothing: for demos only.',
    )
    .addHelpText('after', '\nExample:\n  $ sealroom rules allow-simulated on\n')
    .action(frame.action<[string, object]>(setSimulated))
}

export async function showRules(session: Session): Promise<Answer> {
  await expectHome(session.home)
  return shown(await readHouseRules(session.home))
}

export async function setAutomatic(
  session: Session,
  given: string,
  computations: readonly string[],
  { off = false }: { off?: boolean },
): Promise<Answer> {
  const { agent } = await session.agent()
  const contract = await contractIdFrom(agent, given)
  const rules = await readHouseRules(session.home)
  const others = rules.automatic.filter((rule) => rule.contract !== contract)
  const own = { contract, computations: computations.length === 0 ? ['*'] : [...computations] }
  return await change(session, { ...rules, automatic: off ? others : [...others, own] })
}

export async function setSimulated(session: Session, word: string): Promise<Answer> {
  if (word !== 'on' && word !== 'off')
    throw new AgentError('USAGE', `expected on or off; seen ${JSON.stringify(word)}`)
  await expectHome(session.home)
  return await change(session, { ...(await readHouseRules(session.home)), allowSimulated: word === 'on' })
}

async function change(session: Session, rules: HouseRules): Promise<Answer> {
  await writeDurably(session.home.houseRules, `${JSON.stringify(rules, null, 2)}\n`, { replace: true })
  await session.reloadDaemon()
  return shown(rules)
}

function shown(rules: HouseRules): Answer {
  const automatic = rules.automatic.map(
    ({ contract, computations }) => `${contract.slice(0, 12)}: ${computations.join(', ')}`,
  )
  return {
    json: rules,
    text: facts([
      ['automatic', automatic.length === 0 ? 'nothing: every run waits for a person' : automatic.join('; ')],
      ['simulated enclaves', rules.allowSimulated ? 'ALLOWED: they protect nothing' : 'refused'],
      ['evidence at most', `${rules.maximumEvidenceAgeSeconds} s old`],
      ['releases an hour', String(rules.releasesPerHour)],
      ['denied requesters', rules.denyRequesters.join(', ') || 'none'],
      ['denied builds', rules.denyMeasurements.join(', ') || 'none'],
      ['denied chips', rules.denyChips.join(', ') || 'none'],
    ]),
  }
}
