import type { Command } from 'commander'
import { isName, nameRule } from '#libs/contract'
import { thumbprintSchema } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import type { Change } from '../store/agent-store.js'
import { spaces } from '../store/records.js'
import type { Frame } from './command-frame.js'
import type { Session } from './session.js'
import { table } from './table.js'
import type { Answer } from './world.js'

export function addPinCommands(program: Command, frame: Frame): void {
  program
    .command('pin <label> <thumbprint> [more...]')
    .summary('say that a key is a party, once its fingerprint was compared')
    .description(
      'Says that this consent key is that party, after its fingerprint was compared by telephone, in person or on paper. No\n' +
        'contract is signed with a party that is not pinned.',
    )
    .option('--replace', 'give the label to another key than before')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sealroom pin laboratory 0J4k…43 characters…x8\n  $ sealroom pin laboratory 0J4k… insurer Yb91…\n',
    )
    .action(frame.action<[string, string, string[], { replace?: boolean }]>(pin))
  program
    .command('unpin <label>')
    .summary('forget that a key was compared')
    .description('Forgets that a key was compared. Contracts that were signed stay signed.')
    .addHelpText('after', '\nExample:\n  $ sealroom unpin laboratory\n')
    .action(frame.action<[string, object]>(unpin))
  program
    .command('pins')
    .summary('list the parties whose keys were compared')
    .description('Lists the parties whose keys were compared.')
    .addHelpText('after', '\nExample:\n  $ sealroom pins --json\n')
    .action(frame.action<[object]>(pins))
}

export async function pin(
  session: Session,
  label: string,
  thumbprint: string,
  more: readonly string[],
  { replace = false }: { replace?: boolean },
): Promise<Answer> {
  const pairs = pairsOf([label, thumbprint, ...more])
  const { agent } = await session.agent()
  await agent.store.exclusively('pins', async () => {
    const pinnedAt = new Date(agent.now()).toISOString()
    const changes = await Promise.all(pairs.map((pair) => pinChanges(agent, pair, replace, pinnedAt)))
    await agent.store.write(...changes.flat())
  })
  const pinned = pairs.map(([name, key]) => ({ label: name, thumbprint: key }))
  return { json: { label, thumbprint, pinned }, text: pairs.map(([name, key]) => `${name} is ${key}`) }
}

function pairsOf(words: readonly string[]): readonly (readonly [label: string, thumbprint: string])[] {
  if (words.length % 2 !== 0)
    throw new AgentError('USAGE', 'expected a label and a thumbprint for each party')
  return words.flatMap((label, index) => {
    if (index % 2 !== 0) return []
    const thumbprint = words[index + 1] ?? ''
    if (!isName(label))
      throw new AgentError('USAGE', `label: expected ${nameRule}; seen ${JSON.stringify(label)}`)
    if (!thumbprintSchema.safeParse(thumbprint).success)
      throw new AgentError(
        'USAGE',
        `thumbprint: expected the 43 characters that \`sealroom identity show\` prints as party; seen ${thumbprint.length}`,
      )
    return [[label, thumbprint] as const]
  })
}

async function pinChanges(
  agent: Agent,
  [label, thumbprint]: readonly [string, string],
  replace: boolean,
  pinnedAt: string,
): Promise<readonly Change[]> {
  const before = await keyOf(agent, label)
  if (before !== undefined && before !== thumbprint && !replace)
    throw new AgentError(
      'REFUSED',
      `${label} is pinned to ${before} already: compare again, then give --replace`,
    )
  const removed =
    before === undefined || before === thumbprint ? [] : [agent.store.remove(spaces.pins, before)]
  return [...removed, agent.store.put(spaces.pins, thumbprint, { label, pinnedAt })]
}

export async function unpin(session: Session, label: string): Promise<Answer> {
  const { agent } = await session.agent()
  return await agent.store.exclusively('pins', async () => {
    const thumbprint = await keyOf(agent, label)
    if (thumbprint === undefined)
      throw new AgentError('USAGE', `nobody is pinned as ${label}: see \`sealroom pins\``)
    await agent.store.write(agent.store.remove(spaces.pins, thumbprint))
    return { json: { label, thumbprint }, text: [`${label} (${thumbprint}) is no longer pinned`] }
  })
}

export async function pins(session: Session): Promise<Answer> {
  const { agent } = await session.agent()
  const all = await agent.store.list(spaces.pins)
  return {
    json: { own: agent.keys.party, pins: all.map(([thumbprint, record]) => ({ thumbprint, ...record })) },
    text: table(
      ['label', 'party', 'pinned'],
      [
        [`${agent.config.name} (this agent)`, agent.keys.party, ''],
        ...all.map(([thumbprint, { label, pinnedAt }]) => [label, thumbprint, pinnedAt]),
      ],
    ),
  }
}

async function keyOf(agent: Agent, label: string): Promise<string | undefined> {
  return (await agent.store.list(spaces.pins)).find(([, record]) => record.label === label)?.[0]
}
