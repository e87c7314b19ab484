import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unverifiedStatement } from '#libs/canonical'
import { requestPartSchema, runRequestSchema } from '#libs/protocol'
import { aStudy, signedContract, type Study } from '../testing/study.js'

let study: Study
let contract = ''
const request = async (...more: string[]) =>
  await study.people.lab.says(
    '--json',
    'run',
    'request',
    '--contract',
    contract,
    '--computation',
    'by_ward',
    '--purpose',
    'a test',
    ...more,
  )

beforeAll(async () => {
  study = await aStudy()
  contract = await signedContract(study)
})
afterAll(async () => {
  await study.end()
})

describe('sealroom run request', () => {
  it('waits for owners who have sealed nothing, and says for whom', async () => {
    const { exit, out } = await request('--param', 'from_age=30')
    expect(exit).toBe(3)
    expect(out).toContain('north has no sealed version of people')
  })

  it('names the exact versions and seals the parameters to every reader', async () => {
    const { north, south } = study.people
    const rows = Array.from({ length: 20 }, (_, index) => index + 1)
    const peopleFile = await north.write(
      'people.csv',
      ['id,age,ward,secret', ...rows.map((id) => `${id},40,er,x`)].join('\n'),
    )
    const valuesFile = await south.write('values.csv', ['id,v', ...rows.map((id) => `${id},5.5`)].join('\n'))
    const sealed = [
      await north.says(
        '--json',
        'dataset',
        'seal',
        peopleFile,
        '--contract',
        contract,
        '--dataset',
        'people',
      ),
      await south.says(
        '--json',
        'dataset',
        'seal',
        valuesFile,
        '--contract',
        contract,
        '--dataset',
        'values',
      ),
    ].map(({ json }) => json<{ manifest: string }>().manifest)
    const { exit, json } = await request('--param', 'from_age=30')
    expect(exit).toBe(0)
    const run = study.coordinator.runs.get(json<{ run: string }>().run)
    const [recorded] = run?.statements ?? []
    const payload = runRequestSchema.parse(unverifiedStatement(recorded?.statement ?? '').payload)
    expect(payload.inputs.map(({ manifest }) => manifest)).toEqual(sealed)
    const readers = ['north', 'south', 'watch'].map((name) => study.keys[name])
    expect(payload.sealed.keys.map(({ party }) => party).toSorted()).toEqual(readers.toSorted())
    expect(recorded?.statement).not.toContain('from_age')
    expect(Buffer.from(recorded?.attachment ?? '', 'base64url').toString('latin1')).not.toContain('from_age')
    expect(requestPartSchema.safeParse({ parameters: { from_age: 30 }, query: null }).success).toBe(true)
  })

  const wrong: [name: string, words: string[], expected: RegExp][] = [
    ['a missing parameter', [], /give --param from_age=<int>/],
    [
      'an unknown parameter',
      ['--param', 'from_age=1', '--param', 'to_age=2'],
      /to_age.*has the parameters from_age/,
    ],
    ['a word for a number', ['--param', 'from_age=old'], /expected a whole number/],
    ['a parameter twice', ['--param', 'from_age=1', '--param', 'from_age=2'], /given twice/],
    ['a parameter without a value', ['--param', 'from_age'], /expected name=value/],
    ['hours that are none', ['--param', 'from_age=1', '--valid-hours', 'many'], /--valid-hours/],
  ]
  it.each(wrong)('refuses %s before anything is signed', async (_name, words, expected) => {
    const before = study.coordinator.runs.size
    const { exit, out } = await request(...words)
    expect(exit).toBe(2)
    expect(out).toMatch(expected)
    expect(study.coordinator.runs.size).toBe(before)
  })

  it('names the computations that there are', async () => {
    const { err, exit } = await study.people.lab.says(
      'run',
      'request',
      '--contract',
      contract,
      '--computation',
      'by_age',
      '--purpose',
      'x',
    )
    expect(exit).toBe(2)
    expect(err).toContain('has no computation by_age; it has by_ward')
  })

  it('shows the coordinator’s refusal rule by rule', async () => {
    study.coordinator.refusals.set('run-request', {
      code: 'RUN_REFUSED',
      detail: 'the limit of 3 runs is reached',
    })
    const { lab } = study.people
    const { exit, err } = await lab.says(
      'run',
      'request',
      '--contract',
      contract,
      '--computation',
      'by_ward',
      '--purpose',
      'x',
      '--param',
      'from_age=1',
    )
    expect(exit).toBe(1)
    expect(err).toMatch(/limit of 3 runs[\s\S]*1\. fake\.rule/)
  })
})

describe('a run', () => {
  const onlyRun = () => [...study.coordinator.runs.keys()][0] ?? ''

  it('is listed and shown by the beginning of its id', async () => {
    expect((await study.people.lab.says('run', 'list')).out).toContain('by_ward')
    const shown = await study.people.north.says('run', 'show', onlyRun().slice(0, 8))
    expect(shown.exit).toBe(3)
    expect(shown.out).toContain('awaitingOwners')
  })

  it('is approved by the consent key, and decided by the owner in one command', async () => {
    const { exit, out } = await study.people.north.says('approve', onlyRun().slice(0, 8))
    expect(exit).toBe(0)
    expect(out).toContain('approved as approver and data owner')
    expect(out).toContain('the daemon of this agent does not run')
    const types = study.coordinator.runs.get(onlyRun())?.statements.map(({ type }) => type)
    expect(types).toEqual(['run-request', 'approval'])
  })

  it('is decided by an owner without its consent key', async () => {
    const { out } = await study.people.south.says('deny', onlyRun(), '--reason', 'not today')
    expect(out).toContain('denied as data owner')
    expect((await study.people.south.says('run', 'show', onlyRun())).out).toContain(
      "this owner's people denied it",
    )
  })

  it('is not answered by whoever is not asked', async () => {
    const { exit, err } = await study.people.watch.says('approve', onlyRun())
    expect(exit).toBe(1)
    expect(err).toContain('neither approves by_ward nor owns data')
  })

  it('gives no result before there is one', async () => {
    const { exit, err } = await study.people.lab.says(
      'run',
      'result',
      onlyRun(),
      '--out',
      study.people.lab.file('out'),
    )
    expect(exit).toBe(3)
    expect(err).toContain('has no receipt')
  })

  it('is taken back by its requester, and cannot be answered any more', async () => {
    expect((await study.people.lab.says('run', 'cancel', onlyRun())).exit).toBe(0)
    const { exit, err } = await study.people.north.says('approve', onlyRun())
    expect(exit).toBe(1)
    expect(err).toContain('has ended (cancelled)')
  })

  it('that nobody knows is not found', async () => {
    expect((await study.people.lab.says('run', 'show', 'abcdef')).err).toContain('[RUN_UNKNOWN]')
    expect((await study.people.lab.says('run', 'show', 'a'.repeat(64))).exit).toBe(1)
  })

  it('without a receipt is said to have none in an audit', async () => {
    const { exit, out } = await study.people.watch.says('audit', 'receipts', '--contract', contract)
    expect(exit).toBe(0)
    expect(out).toContain('no receipt')
  })
})
