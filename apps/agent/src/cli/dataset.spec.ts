import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { digest, domains, unverifiedStatement } from '#libs/canonical'
import { aStudy, signedContract, type Study } from '../testing/study.js'

let study: Study
let contract = ''
beforeAll(async () => {
  study = await aStudy()
  contract = await signedContract(study)
})
afterAll(async () => {
  await study.end()
})

const people = [
  'id,age,ward,secret',
  ...Array.from(
    { length: 50 },
    (_, index) => `${index + 1},${20 + index},${index % 2 === 0 ? 'er' : 'icu'},x`,
  ),
].join('\n')
const check = async (text: string, ...more: string[]) =>
  await study.people.north.says(
    'dataset',
    'check',
    await study.people.north.write('people.csv', text),
    '--contract',
    contract,
    '--dataset',
    'people',
    ...more,
  )

describe('sealroom dataset check', () => {
  it('profiles a file that fits', async () => {
    const { exit, out } = await check(people)
    expect(exit).toBe(0)
    expect(out).toContain('50 rows')
    expect(out).toMatch(/age +int +0 +50 +20 +69/)
  })

  const mistakes: [name: string, text: string, expected: RegExp][] = [
    [
      'a word where a number should be',
      'id,age,ward,secret\n1,20,er,x\n2,old,er,x\n',
      /age +2 +3 +wrong type +old +a whole number/,
    ],
    [
      'a number above the bound',
      'id,age,ward,secret\n1,500,er,x\n',
      /age +1 +2 +above the maximum +500 +at most 120/,
    ],
    [
      'a number below the bound',
      'id,age,ward,secret\n1,-1,er,x\n',
      /age +1 +2 +below the minimum +-1 +at least 0/,
    ],
    ['a missing value', 'id,age,ward,secret\n1,,er,x\n', /age +1 +2 +value missing/],
    ['a missing unit', 'id,age,ward,secret\n,20,er,x\n', /id +1 +2 +unit missing/],
    ['a missing column', 'id,age,secret\n1,20,x\n', /ward +column missing/],
    ['a column twice', 'id,age,age,ward,secret\n1,20,20,er,x\n', /age +column twice in the header/],
    ['too few fields', 'id,age,ward,secret\n1,20\n', /2 +wrong number of fields/],
    [
      'a fraction where a whole number should be',
      'id,age,ward,secret\n1,20.5,er,x\n',
      /age +1 +2 +wrong type +20\.5/,
    ],
    ['no rows', 'id,age,ward,secret\n', /no rows/],
    ['nothing at all', '', /the file is empty/],
    ['another delimiter', people.replaceAll(',', ';'), /column missing/],
  ]
  it.each(mistakes)('shows %s: column, row, line, seen and expected', async (_name, text, expected) => {
    const { exit, out } = await check(text)
    expect(exit).toBe(1)
    expect(out).toMatch(expected)
  })

  it('reads another delimiter where it is told', async () => {
    expect((await check(people.replaceAll(',', ';'), '--delimiter', 'semicolon')).exit).toBe(0)
  })

  it('says what file it cannot read', async () => {
    const { north } = study.people
    const missing = await north.says(
      'dataset',
      'check',
      '/nowhere.csv',
      '--contract',
      contract,
      '--dataset',
      'people',
    )
    expect(missing.exit).toBe(2)
    expect(missing.err).toContain('there is no such file')
    expect(
      (await north.says('dataset', 'check', north.folder, '--contract', contract, '--dataset', 'people'))
        .exit,
    ).toBe(2)
  })

  it('refuses a dataset of another owner, and one that there is not', async () => {
    const { south } = study.people
    const file = await south.write('x.csv', people)
    const others = await south.says('dataset', 'check', file, '--contract', contract, '--dataset', 'people')
    expect(others.exit).toBe(1)
    expect(others.err).toContain('is owned by north; this party is south')
    expect(
      (await south.says('dataset', 'check', file, '--contract', contract, '--dataset', 'persons')).err,
    ).toContain('it has people, values')
  })
})

describe('sealroom dataset seal', () => {
  const seal = async (...more: string[]) =>
    await study.people.south.says(
      '--json',
      'dataset',
      'seal',
      study.people.south.file('values.csv'),
      '--contract',
      contract,
      '--dataset',
      'values',
      ...more,
    )
  const manifests = () =>
    study.coordinator.contracts.get(contract)?.statements.filter(({ type }) => type === 'manifest') ?? []

  beforeEach(async () => {
    await study.people.south.write(
      'values.csv',
      ['id,v', ...Array.from({ length: 300 }, (_, index) => `${index + 1},${index % 100}.5`)].join('\n'),
    )
  })

  it('seals nothing of a file that does not fit', async () => {
    await study.people.south.write('values.csv', 'id,v\n1,abc\n')
    const { exit, out } = await seal()
    expect(exit).toBe(1)
    expect(out).toContain('abc')
    expect(study.coordinator.uploads.blobs.size).toBe(0)
    expect(manifests()).toHaveLength(0)
  })

  it('goes on with an interrupted upload where it ended, and records one manifest', async () => {
    const { uploads } = study.coordinator
    uploads.breakAfter = 1
    const broken = await seal()
    expect(broken.exit).toBe(4)
    expect(manifests()).toHaveLength(0)
    const listed = (await study.people.south.says('--json', 'dataset', 'list')).json<{
      datasets: { state: string }[]
    }>()
    expect(listed.datasets.map(({ state }) => state)).toEqual(['on its way'])
    const before = uploads.taken
    uploads.breakAfter = null
    const { exit, json } = await seal()
    expect(exit).toBe(0)
    const sealed = json<{ sequence: number; sealedBytes: number; rows: number }>()
    expect(sealed).toMatchObject({ sequence: 1, rows: 300 })
    expect(before).toBeGreaterThan(0)
    expect(uploads.taken).toBe(sealed.sealedBytes)
    expect(manifests()).toHaveLength(1)
    for (const [name, blob] of uploads.blobs) expect(digest(domains.ciphertext, blob)).toBe(name)
    expect(await readdir(join(study.people.south.home, 'outbox'))).toEqual([])
  })

  it('does not finish an upload with another content, but drops it on purpose', async () => {
    const { uploads } = study.coordinator
    uploads.breakAfter = 0
    expect((await seal('--replace')).exit).toBe(4)
    await study.people.south.write('values.csv', 'id,v\n1,2.5\n')
    const other = await seal()
    expect(other.exit).toBe(1)
    expect(other.out).toContain('is another content')
    uploads.breakAfter = null
    const { exit, json } = await seal('--replace')
    expect(exit).toBe(0)
    expect(json()).toMatchObject({ sequence: 2, rows: 1 })
  })

  it('does not replace a version by accident', async () => {
    const { exit, out } = await seal()
    expect(exit).toBe(1)
    expect(out).toContain('give --replace for a new version')
  })

  it('chains manifests and never seals two versions under one key', async () => {
    await seal('--replace')
    const chain = manifests().map(({ statement, id }) => ({
      id,
      payload: unverifiedStatement(statement).payload as Record<string, unknown>,
    }))
    expect(chain.map(({ payload }) => payload['sequence'])).toEqual([1, 2, 3])
    expect(chain.slice(1).map(({ payload }) => payload['previous'])).toEqual(
      chain.slice(0, -1).map(({ id }) => id),
    )
    expect(new Set(chain.map(({ payload }) => payload['version'])).size).toBe(3)
  })

  it('keeps nothing of the data in the clear in its home', async () => {
    const home = study.people.south.home
    const files = (await readdir(home, { recursive: true })).map((name) => join(home, name))
    expect(
      (await Promise.all(files.map(async (file) => (await stat(file)).isFile()))).length,
    ).toBeGreaterThan(3)
    expect(files.some((file) => /parquet|csv/.test(file))).toBe(false)
  })

  it('withdraws at once, also where the coordinator does not hear of it', async () => {
    study.coordinator.refusals.set('withdrawal', { code: 'BUSY', detail: 'not now' })
    const words = ['dataset', 'withdraw', '--contract', contract, '--dataset', 'values']
    expect((await study.people.south.says(...words)).exit).toBe(1)
    const { datasets } = (await study.people.south.says('--json', 'dataset', 'list')).json<{
      datasets: { state: string }[]
    }>()
    expect(new Set(datasets.map(({ state }) => state))).toEqual(new Set(['withdrawn']))
    expect((await study.people.south.says(...words)).exit).toBe(0)
  })
})
