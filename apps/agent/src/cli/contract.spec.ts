import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unverifiedStatement } from '#libs/canonical'
import { aStudy, studyYaml, type Study } from '../testing/study.js'

let study: Study
beforeAll(async () => {
  study = await aStudy()
})
afterAll(async () => {
  await study.end()
})

describe('sealroom contract check', () => {
  it('says what each party gives and gets, and what is risky', async () => {
    const { lab } = study.people
    const { exit, out } = await lab.says(
      'contract',
      'check',
      await lab.write('study.yaml', studyYaml),
      '--dry-run',
    )
    expect(exit).toBe(0)
    expect(out).toMatch(/^north\n {2}gives 4 columns of people/m)
    expect(out).toMatch(/may ask for by_ward/)
    expect(out).toMatch(/is asked to approve each run of by_ward/)
    expect(out).toContain('SIMULATED_ENCLAVE')
    expect(out).toMatch(/DRY RUN of by_ward/)
  })

  const mistakes: [name: string, from: string, to: string, expected: RegExp][] = [
    ['a limit in words', 'limit: 3', 'limit: three', /line 36.*limit/],
    [
      'a recipient that is no party',
      'recipients: [lab, north]',
      'recipients: [labb, north]',
      /line 37.*labb/,
    ],
    ['an unknown field', 'purpose: Try it.', 'purpose: Try it.\ncolour: red', /line 4.*colour/],
    ['a party that nobody pinned', 'key: south', 'key: sooth', /line 7.*parties\.south\.key/],
    ['a tab of YAML magic', 'name: small-study', 'name: &a small-study', /line 2.*anchor/],
    [
      'an output without controls',
      'controls: [ { minimumGroupSize: 5 }, { roundTo: { mean_v: "0.1" } } ]',
      'controls: []',
      /line 37.*controls/,
    ],
  ]
  it.each(mistakes)('names line and field of %s', async (_name, from, to, expected) => {
    const { lab } = study.people
    const { exit, out } = await lab.says(
      'contract',
      'check',
      await lab.write('mistaken.yaml', studyYaml.replace(from, to)),
    )
    expect(exit).toBe(1)
    expect(out).toMatch(expected)
  })

  const queries: [name: string, query: string, expected: RegExp][] = [
    [
      'rows of people',
      'select id, age from people join values using (id) where age >= $from_age',
      /RAW_VALUE_OUTPUT/,
    ],
    [
      'a column that nobody may use',
      'select secret, count(*) as n from people join values using (id) group by secret',
      /COLUMN/,
    ],
    ['text that does not parse', 'selec ward from people join values using (id)', /SYNTAX|NOT_A_SELECT/],
    ['two statements', 'select count(*) from people join values using (id); select 1', /MULTIPLE_STATEMENTS/],
    [
      'a file',
      "select count(*) from read_csv('/etc/passwd'), people, values",
      /computations\.by_ward\.query/,
    ],
  ]
  it.each(queries)('refuses a query with %s, rule by rule', async (_name, query, expected) => {
    const { lab } = study.people
    const yaml = studyYaml.replace(/query: .*/, () => `query: ${JSON.stringify(query)}`)
    const { exit, out } = await lab.says('contract', 'check', await lab.write('query.yaml', yaml))
    expect(exit).toBe(1)
    expect(out).toMatch(expected)
  })

  it('says which file it cannot read', async () => {
    const { exit, err } = await study.people.lab.says('contract', 'check', '/nowhere/study.yaml')
    expect(exit).toBe(2)
    expect(err).toBe(
      'sealroom: /nowhere/study.yaml cannot be read: there is no such file or folder [FILE_UNREADABLE]\n',
    )
  })
})

describe('a contract', () => {
  it('is proposed, reviewed, signed by all, active, and ended', async () => {
    const { north, south, lab } = study.people
    const file = await lab.write('study.yaml', studyYaml)
    const { contract } = (await lab.says('--json', 'contract', 'propose', file)).json<{ contract: string }>()
    const refused = await north.says('contract', 'sign', contract)
    expect(refused.exit).toBe(1)
    expect(refused.err).toMatch(/simulated ones, which protect nothing/)
    expect(refused.err).toMatch(/sealroom rules allow-simulated on/)
    await north.says('rules', 'allow-simulated', 'on')
    await south.says('rules', 'allow-simulated', 'on')
    const review = await north.says('contract', 'review', contract.slice(0, 8))
    expect(review.exit).toBe(0)
    expect(review.out).toContain('CONTRACT small-study')
    expect(review.out).toMatch(/ok {6}the named checkpoint agrees/)
    expect((await north.says('contract', 'sign', contract)).exit).toBe(0)
    expect((await north.says('contract', 'sign', contract)).out).toContain('signed by this party already')
    expect((await lab.says('contract', 'show', 'small-study')).exit).toBe(3)
    expect((await south.says('contract', 'sign', contract)).out).toContain('all signatories have signed')
    const shown = (await lab.says('--json', 'contract', 'show', contract)).json()
    expect(shown).toMatchObject({ state: 'active', unsigned: [], signed: ['north', 'south', 'lab'] })
    const kinds = study.coordinator.contracts
      .get(contract)
      ?.statements.map(({ statement }) => unverifiedStatement(statement).type)
    expect(kinds).toEqual(['contract', 'contract', 'contract', 'activation'])
    expect((await north.says('contract', 'revoke', contract, '--reason', 'it is over')).exit).toBe(0)
  })

  it('fills in what concerns the log, and a fresh secret each time', async () => {
    const { lab } = study.people
    const file = await lab.write('study.yaml', studyYaml)
    const propose = async () => (await lab.says('--json', 'contract', 'propose', file)).json()['contract']
    const ids = [await propose(), await propose()]
    const terms = ids.map((id) => study.coordinator.contracts.get(String(id))?.terms.log)
    expect(terms[0]).toMatchObject({
      origin: 'log.test/1',
      key: study.coordinator.log.key.publicKey.x,
      coordinator: study.coordinator.log.coordinatorKey.thumbprint,
    })
    expect(terms[0]?.checkpoint).toMatch(/^log\.test\/1\n/)
    expect(terms[0]?.secret).not.toBe(terms[1]?.secret)
  })

  it('is not signed while a party is not pinned, and says whom to compare', async () => {
    const { lab, south } = study.people
    await south.says('unpin', 'watch')
    const { contract } = (
      await lab.says('--json', 'contract', 'propose', await lab.write('study.yaml', studyYaml))
    ).json<{ contract: string }>()
    const { exit, err } = await south.says('contract', 'sign', contract)
    expect(exit).toBe(1)
    expect(err).toContain(`sealroom pin watch ${study.keys['watch'] ?? ''}`)
    await south.says('pin', 'watch', study.keys['watch'] ?? '')
  })

  it('is not signed where its log is not the pinned one', async () => {
    const { lab } = study.people
    const yaml = studyYaml.replace('log: { witnesses', `log: { coordinator: "${'c'.repeat(42)}A", witnesses`)
    const { exit, err } = await lab.says('contract', 'propose', await lab.write('other.yaml', yaml))
    expect(exit).toBe(1)
    expect(err).toContain('which this agent has pinned')
  })

  it('that nobody knows is not found', async () => {
    expect((await study.people.lab.says('contract', 'show', 'no-such-study')).err).toContain(
      '[CONTRACT_UNKNOWN]',
    )
  })

  it('cannot be signed by its auditor', async () => {
    const { lab, watch } = study.people
    await watch.says('rules', 'allow-simulated', 'on')
    const { contract } = (
      await lab.says('--json', 'contract', 'propose', await lab.write('study.yaml', studyYaml))
    ).json<{ contract: string }>()
    const { exit, err } = await watch.says('contract', 'sign', contract)
    expect(exit).toBe(1)
    expect(err).toContain('this party is a signatory')
  })

  it('shows a refusal of the coordinator with its reasons', async () => {
    const { lab } = study.people
    study.coordinator.refusals.set('contract', { code: 'CONTRACT_REFUSED', detail: 'not here' })
    const { exit, err } = await lab.says('contract', 'propose', await lab.write('study.yaml', studyYaml))
    expect(exit).toBe(1)
    expect(err).toMatch(/not here[\s\S]*1\. fake\.rule[\s\S]*who can change it {2}the fake/)
  })
})
