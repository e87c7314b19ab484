/** Part 5: the coordinator and the enclaves' operator turn hostile. Each time the agents notice, and nothing is released. */
import { errorOf, text } from '../answers.js'
import type { Narrator } from '../narrator.js'
import type { Lie } from '../stack/hostile-coordinator.js'
import { offerRogueEnclave, type Trick } from '../stack/rogue-worker.js'
import type { Stack } from '../stack/stack.js'
import { owners } from '../study.js'
import { requestAndWait } from './compute.js'

export async function playHostile(
  tell: Narrator,
  stack: Stack,
  contract: string,
  completedRun: string,
): Promise<void> {
  const institute = stack.party('institute')
  const before = text((await institute.must('identity', 'show'))['identity'])
  await tell.step('the institute takes a new sealing key', () =>
    institute.must('identity', 'renew', '--sealing'),
  )
  const older = { party: text((await institute.must('identity', 'show'))['party']), identity: before }
  await stack.worker?.stop()
  for (const { trick, what, expected } of rogueOffers)
    await tell.refused(what, () => refusalOfRogue(stack, contract, trick, older), expected)
  stack.startWorker()
  for (const { what, lie, expected } of contractLies)
    await tell.refused(what, () => refusalUnderLie(stack, contract, lie), expected)
  await tell.refused(
    'it shows a finished run as a new round, to get the keys a second time',
    () => secondRelease(stack, completedRun),
    /does not show|RUN_NOT_VERIFIED/,
  )
  await tell.step('told the truth again, everything works as before', async () => {
    const { state } = await requestAndWait(stack, contract, 'people_by_sex')
    if (state !== 'completed') throw new Error(`ended ${state}`)
  })
}

const rogueOffers: readonly { trick: Trick; what: string; expected: RegExp }[] = [
  {
    trick: 'swappedKey',
    what: 'the enclave’s key is swapped under genuine evidence',
    expected: /reportData|binding|report data/i,
  },
  {
    trick: 'otherMeasurement',
    what: 'an enclave of another measurement is offered',
    expected: /measurement/,
  },
  {
    trick: 'olderIdentity',
    what: 'the recipient’s Identity is swapped for an older one',
    expected: /offer\.identities/,
  },
  {
    trick: 'replayedNonces',
    what: 'an Offer made for other nonces is replayed',
    expected: /offer\.ownNonce|nonce/,
  },
  {
    trick: 'otherSimulator',
    what: 'evidence comes from a TEE that the contract does not name',
    expected: /key/i,
  },
]

const contractLies: readonly { what: string; lie: (contract: string) => Lie; expected: RegExp }[] = [
  {
    what: 'the contract is shown half-signed',
    lie: (contract) =>
      onContract(contract, (view) => ({
        ...view,
        statements: view.statements.toSpliced(
          view.statements.findIndex(({ type }) => type === 'contract') + 1,
          1,
        ),
      })),
    expected: /SIGNATURE_MISSING/,
  },
  {
    what: 'the contract’s text is altered',
    lie: (contract) =>
      onContract(contract, (view) => ({ ...view, statements: view.statements.map(altered) })),
    expected: /CONTRACT_NOT_VERIFIED|SIGNATURE|JSON|BYTES|TERMS|PAYLOAD/,
  },
  {
    what: 'a party’s newest Identity is kept from the owners',
    lie: (contract) =>
      onContract(contract, (view) => ({
        ...view,
        identities: view.identities.map((chain) => ({ ...chain, statements: chain.statements.slice(0, 1) })),
      })),
    expected: /IDENTITY_OLDER/,
  },
]

interface ShownContract {
  readonly id: string
  readonly statements: readonly { readonly type: string; readonly statement: string }[]
  readonly identities: readonly { readonly statements: readonly string[] }[]
}

function onContract(contract: string, tell: (view: ShownContract) => ShownContract): Lie {
  return ({ path }, answer) => (path === `/v1/contracts/${contract}` ? tell(answer as ShownContract) : answer)
}

/** Raises the limit in the text that was signed. */
function altered(recorded: ShownContract['statements'][number]): ShownContract['statements'][number] {
  if (recorded.type !== 'contract') return recorded
  const [header, payload, signature] = recorded.statement.split('.')
  const text = Buffer.from(payload ?? '', 'base64url')
    .toString()
    .replace('"limit":2', '"limit":9')
  return { ...recorded, statement: [header, Buffer.from(text).toString('base64url'), signature].join('.') }
}

/** Requests a run for the rogue worker, and tells what the owners refused. */
async function refusalOfRogue(
  stack: Stack,
  contract: string,
  trick: Trick,
  older: { party: string; identity: string },
): Promise<string> {
  const [outcome] = await Promise.all([
    requestAndWait(stack, contract, 'people_by_sex'),
    offerRogueEnclave(stack, trick, older),
  ])
  const { answer } = await stack.party('registry').sealroom('run', 'explain', outcome.run)
  const acts = answer['acts'] as readonly { type: string }[]
  if (acts.some(({ type }) => type === 'spend' || type === 'key-release'))
    return 'something was spent or released'
  const refusals = answer['refusals'] as readonly { by: string; reasons: readonly { text: string }[] }[]
  return refusals
    .flatMap(({ by, reasons }) => reasons.map(({ text: reason }) => `${by}: ${reason}`))
    .join(' ')
}

/** Lies to the owners while a run is asked for, and tells what their daemons say. */
async function refusalUnderLie(
  stack: Stack,
  contract: string,
  lie: (contract: string) => Lie,
): Promise<string> {
  const askers = new Set(
    await Promise.all(
      owners.map(async (owner) => text((await stack.party(owner).must('identity', 'show'))['daemonKey'])),
    ),
  )
  const toOwners: Lie = (question, answer) =>
    askers.has(question.asker ?? '') ? lie(contract)(question, answer) : answer
  const request = [
    'run',
    'request',
    '--contract',
    contract,
    '--computation',
    'people_by_sex',
    '--purpose',
    'under attack',
  ] as const
  stack.hostile.tell(toOwners)
  const asked = await stack.party('institute').sealroom(...request)
  if (asked.exit !== 0) return errorOf(asked)
  const run = text(asked.answer['run'])
  const said = await Promise.all(
    owners.map((owner) =>
      stack.party(owner).daemon?.line((line) => line.includes('could not') && line.includes(run), 8_000),
    ),
  )
  await stack.party('institute').must('run', 'cancel', run)
  stack.hostile.tell(null)
  return `registry: ${whyOf(said[0] ?? '')}`
}

/** Shows a finished run as one that has only begun, with the news that something happened to it. */
async function secondRelease(stack: Stack, run: string): Promise<string> {
  const kept = ['run-request', 'approval']
  stack.hostile.tell(({ path }, answer) => {
    if (path === `/v1/runs/${run}`) {
      const view = answer as { statements: readonly { type: string }[] }
      const statements = view.statements.filter(({ type }) => kept.includes(type))
      return { ...view, statements, state: 'collectingNonces', round: 2, version: 1_000_000, outputs: [] }
    }
    if (path.startsWith('/v1/events')) {
      const { events, next } = answer as { events: readonly unknown[]; next: number }
      return {
        events: [...events, { cursor: next, kind: 'run', contract: null, run, size: null }],
        next: next + 1,
      }
    }
    return answer
  })
  const line = await stack
    .party('registry')
    .daemon?.line((said) => said.includes('could not') && said.includes(run), 15_000)
  stack.hostile.tell(null)
  return `registry: ${whyOf(line ?? '')}`
}

function whyOf(line: string): string {
  try {
    const { code, why } = JSON.parse(line) as { code?: string; why?: string }
    return `${why ?? line} [${code ?? ''}]`
  } catch {
    return line
  }
}
