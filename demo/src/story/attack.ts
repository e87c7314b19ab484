/** Part 5: the coordinator and the enclaves' operator turn hostile. Each time the agents notice, and nothing is released. */
import { errorOf, text } from '../answers.js'
import type { Narrator } from '../narrator.js'
import type { Lie } from '../stack/hostile-coordinator.js'
import { offerRogueEnclave, type Trick } from '../stack/rogue-worker.js'
import type { Stack } from '../stack/stack.js'
import { owners } from '../study.js'
import { requestAndWait } from './compute.js'
import type { HeldRun } from './withhold.js'

export async function playHostile(
  tell: Narrator,
  stack: Stack,
  contract: string,
  completedRun: string,
  held: HeldRun,
): Promise<void> {
  const institute = stack.party('institute')
  await tell.step('the institute takes a new sealing key', () =>
    institute.must('identity', 'renew', '--sealing'),
  )
  const asOwners = await ownersAsking(stack)
  const replay = await replayedOffer(stack, completedRun)
  for (const { what, lie, expected } of [
    ...contractLies(contract),
    { what: 'an Offer of an earlier run is replayed', lie: replay, expected: /of run|does not show/ },
  ])
    await tell.refused(what, () => refusalUnderLie(stack, contract, asOwners(lie)), expected)
  await tell.refused(
    'a finished run’s enclave is said to have died, and a new round asks for the keys a second time',
    () => secondRelease(stack, contract, completedRun),
    /does not show/,
  )
  await held.end(tell)
  await stack.worker?.stop()
  for (const { trick, what, expected } of rogueOffers)
    await tell.refused(what, () => refusalOfRogue(stack, contract, trick), expected)
  stack.startWorker()
}

const rogueOffers: readonly { trick: Trick; what: string; expected: RegExp }[] = [
  {
    trick: 'swappedKey',
    what: 'the enclave’s key is swapped under genuine evidence',
    expected: /reportData|report data/i,
  },
  {
    trick: 'otherMeasurement',
    what: 'an enclave of another measurement is offered',
    expected: /measurement/,
  },
  {
    trick: 'otherSimulator',
    what: 'evidence comes from a TEE that the contract does not name',
    expected: /key/i,
  },
]

/** What is told of a contract, and what the owners find. */
function contractLies(contract: string): readonly { what: string; lie: Lie; expected: RegExp }[] {
  return [
    {
      what: 'the contract is shown half-signed',
      lie: onContract(contract, (view) => {
        const first = view.statements.findIndex(({ type }) => type === 'contract')
        return { ...view, statements: view.statements.toSpliced(first + 1, 1) }
      }),
      expected: /SIGNATURE_MISSING/,
    },
    {
      what: 'the contract’s text is altered',
      lie: onContract(contract, (view) => ({ ...view, statements: view.statements.map(altered) })),
      expected: /CONTRACT_NOT_VERIFIED|SIGNATURE/,
    },
    {
      what: 'a recipient’s Identity is swapped for its older one',
      lie: onContract(contract, (view) => ({
        ...view,
        identities: view.identities.map((chain) => ({ ...chain, statements: chain.statements.slice(0, 1) })),
      })),
      // An owner that has read the contract before the lie began finds it in what the enclave was told.
      expected: /IDENTITY_OLDER|newest Identity/,
    },
  ]
}

/** Puts the Offer and evidence of a finished run in the place of the ones of every other run. */
async function replayedOffer(stack: Stack, run: string): Promise<Lie> {
  const recorded: { type: string }[] = []
  stack.hostile.tell(({ path }, answer) => {
    if (path === `/v1/runs/${run}`)
      recorded.push(...(answer as { statements: { type: string }[] }).statements)
    return answer
  })
  await stack.party('registry').must('run', 'show', run)
  stack.hostile.tell(null)
  const replayed = recorded.filter(({ type }) => type === 'offer' || type === 'evidence')
  return ({ path }, answer) => {
    const view = answer as { statements?: readonly { type: string }[] }
    if (!path.startsWith('/v1/runs/') || view.statements === undefined) return answer
    const others = view.statements.filter(({ type }) => type !== 'offer' && type !== 'evidence')
    return {
      ...view,
      statements: others.length === view.statements.length ? others : [...others, ...replayed],
    }
  }
}

/** Tells a lie to the owners' daemons only. */
async function ownersAsking(stack: Stack): Promise<(lie: Lie) => Lie> {
  const identities = await Promise.all(owners.map((owner) => stack.party(owner).must('identity', 'show')))
  const keys = new Set(identities.map(({ daemonKey }) => text(daemonKey)))
  return (lie) => (question, answer) => (keys.has(question.asker ?? '') ? lie(question, answer) : answer)
}

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
async function refusalOfRogue(stack: Stack, contract: string, trick: Trick): Promise<string> {
  const [outcome] = await Promise.all([
    requestAndWait(stack, contract, 'people_by_sex'),
    offerRogueEnclave(stack, trick),
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

/** Lies while a run is asked for, and tells what the registry's daemon says to it. */
async function refusalUnderLie(stack: Stack, contract: string, lie: Lie): Promise<string> {
  stack.hostile.tell(lie)
  const words = ['--contract', contract, '--computation', 'people_by_sex', '--purpose', 'under attack']
  const asked = await stack.party('institute').sealroom('run', 'request', ...words)
  if (asked.exit !== 0) return errorOf(asked)
  const run = text(asked.answer['run'])
  const said = await firstToNotice(stack, run)
  await stack.party('institute').sealroom('run', 'cancel', run)
  stack.hostile.tell(null)
  return said
}

/** Each owner is told the lie; where one has ended the run by its refusal, another may learn only of that. */
async function firstToNotice(stack: Stack, run: string): Promise<string> {
  const noticed = owners.map(async (owner) => {
    const line = await stack
      .party(owner)
      .daemon?.line(
        (said) => /could not|refused/.test(said) && said.includes(run) && !said.includes('has ended'),
        10_000,
      )
    return `${owner}: ${whyOf(line ?? '')}`
  })
  return await Promise.any(noticed)
}

/** Shows a finished run as one that begins anew, with the news that something happened to it. */
async function secondRelease(stack: Stack, contract: string, run: string): Promise<string> {
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
        events: [...events, { cursor: next, kind: 'run', contract: null, run, size: null, moment: null }],
        next,
      }
    }
    return answer
  })
  // Any news makes the daemons read the feed, and so the lie.
  const institute = stack.party('institute')
  const words = ['--contract', contract, '--computation', 'people_by_sex', '--purpose', 'news']
  const { answer } = await institute.sealroom('run', 'request', ...words)
  const line = await stack
    .party('registry')
    .daemon?.line((said) => said.includes(`could not: run ${run}`), 15_000)
  await institute.sealroom('run', 'cancel', text(answer['run']))
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
