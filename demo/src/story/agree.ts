/** Part 1: identities, pins, and one contract that binds nobody before the last signature. */
import { writeFile } from 'node:fs/promises'
import type { Narrator } from '../narrator.js'
import type { Stack } from '../stack/stack.js'
import { labels, owners, studyContract, type Label } from '../study.js'
import { errorOf, text } from '../answers.js'

export async function makeIdentities(tell: Narrator, stack: Stack): Promise<Record<Label, string>> {
  const keys = await tell.step('each organization makes its keys and pins the log', async () => {
    const made = await Promise.all(
      labels.map(async (label) => {
        const answer = await stack
          .party(label)
          .must('init', '--name', label, '--coordinator', stack.hostile.url)
        return [label, text(answer['party'])] as const
      }),
    )
    return Object.fromEntries(made) as Record<Label, string>
  })
  await tell.step('the operator invites each of them; an invitation gives a seat, never trust', async () => {
    await Promise.all(
      labels.map(async (label) => {
        await stack.party(label).must('identity', 'join', '--invitation', await stack.invite(label))
      }),
    )
  })
  await tell.step('people compare fingerprints out of band, and pin each other', async () => {
    await Promise.all(
      labels.map(async (label) => {
        const others = labels.filter((other) => other !== label)
        await stack.party(label).must('pin', '--', ...others.flatMap((other) => [other, keys[other]]))
      }),
    )
  })
  await tell.step(
    'daemons start; owners allow the simulated enclave in their house rules, for this demo',
    async () => {
      await Promise.all(
        labels.map(async (label) => {
          await stack.party(label).must('rules', 'allow-simulated', 'on')
          await stack.party(label).startDaemon()
        }),
      )
      stack.startWorker()
    },
  )
  return keys
}

export async function signContract(
  tell: Narrator,
  stack: Stack,
  keys: Record<Label, string>,
  edit: (yaml: string) => string = (yaml) => yaml,
): Promise<string> {
  const institute = stack.party('institute')
  const file = institute.file('study.yaml')
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
  const yaml = edit(
    studyContract({
      keys,
      simulatorKey: stack.simulatorKey,
      measurement: stack.measurement,
      validFrom: day(-1),
      validUntil: day(365),
      proposalExpires: day(7),
    }),
  )
  await writeFile(file, yaml)
  await writeFile(
    institute.file('mistaken.yaml'),
    yaml.replace('limit: 2', 'limit: two').replace('died:    { type: bool,', 'died:    { type: boolean,'),
  )
  await tell.refused(
    'the contract is checked: two planted mistakes are found, with line and field',
    async () => errorOf(await institute.sealroom('contract', 'check', institute.file('mistaken.yaml'))),
    /died[\s\S]*line \d+[\s\S]*limit|line \d+[\s\S]*limit/,
  )
  await tell.step(
    'the contract is checked: every query understood, what each gives and gets, what is risky',
    () => institute.must('contract', 'check', file),
  )
  const contract = await tell.step('the institute proposes it', async () =>
    text((await institute.must('contract', 'propose', file))['contract']),
  )
  await tell.refused(
    'before the last signature nothing can run',
    async () =>
      errorOf(
        await institute.sealroom(
          'run',
          'request',
          '--contract',
          contract,
          '--computation',
          'people_by_sex',
          '--purpose',
          'too early',
        ),
      ),
    /SIGNATURE_MISSING|not active|Activation|CONTRACT_NOT_VERIFIED/,
  )
  await tell.step('registry, laboratory and insurer review and sign', async () => {
    await Promise.all(
      owners.map(async (owner) => {
        if (owner === 'registry') await stack.party(owner).must('contract', 'review', contract)
        await stack.party(owner).must('contract', 'sign', contract)
      }),
    )
  })
  await tell.step('owners let their daemons answer for the reviewed queries by themselves', async () => {
    await Promise.all(owners.map((owner) => stack.party(owner).must('rules', 'automatic', contract)))
  })
  return contract
}
