import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Collaboration, sealSmall } from './collaboration.js'

let study: Collaboration
let receipt = ''
let begun: Collaboration | null = null

beforeAll(async () => {
  study = begun = await Collaboration.begin()
  await sealSmall(study)
  const { run, state } = await study.run('death_rate_by_weight')
  expect(state).toBe('completed')
  await study.result('institute', run)
  receipt = study.stack.party('institute').file(`result-${run.slice(0, 8)}/receipt.json`)
  await study.stack.party('regulator').must('audit', 'export', '--contract', study.contract, '--out', file())
}, 240_000)

afterAll(async () => {
  await begun?.end()
})

const file = () => study.stack.party('regulator').file('record.jsonl')

/** Runs a command with the anchors alone: there is no agent home, so nothing that could be asked. */
async function withoutHome(...words: readonly string[]) {
  const regulator = study.stack.party('regulator')
  const header = JSON.parse((await readFile(file(), 'utf8')).split('\n')[0] ?? '') as {
    log: { origin: string; key: { x: string } }
  }
  const pins = await regulator.must('pins')
  const self = await regulator.must('identity', 'show')
  const parties = (pins['pins'] as { label: string; thumbprint: string }[]).map(
    ({ label, thumbprint }) => `${label}=${thumbprint}`,
  )
  return await regulator.sealroom(
    ...['--home', regulator.file('no-such-home'), ...words],
    ...['--origin', header.log.origin, '--log-key', header.log.key.x],
    ...['--party', ...parties, `regulator=${String(self['party'])}`],
  )
}

const offline = (bundle: string) => withoutHome('audit', 'verify', '--bundle', bundle)

describe('the record of a run over real processes', () => {
  it('is found whole by the regulator’s agent, live', async () => {
    const { exit, answer } = await study.stack
      .party('regulator')
      .sealroom('audit', 'verify', '--contract', study.contract)
    const [report] = answer['contracts'] as { breaches: unknown[]; gaps: unknown[] }[]
    expect(report?.breaches).toEqual([])
    expect(report?.gaps).toEqual([])
    expect(answer).toMatchObject({ ok: true, holds: true, established: true })
    expect(exit).toBe(0)
  })

  it('is found whole from the exported file, with an agent and without any', async () => {
    const { answer } = await study.stack.party('regulator').sealroom('audit', 'verify', '--bundle', file())
    expect(answer).toMatchObject({ ok: true, offline: true })
    const { exit, answer: anywhere } = await offline(file())
    expect(anywhere).toMatchObject({ ok: true, offline: true })
    expect(exit).toBe(0)
  })

  it('does not hold once one entry was taken out of the file', async () => {
    const lines = (await readFile(file(), 'utf8')).trimEnd().split('\n')
    const altered = lines.map((line) => {
      const part = JSON.parse(line) as { leaves?: string[]; end?: { leaves: number } }
      if (part.leaves !== undefined)
        part.leaves = part.leaves.filter((leaf) => !leaf.includes('"type":"accept"'))
      if (part.end !== undefined) part.end.leaves -= 3
      return JSON.stringify(part)
    })
    const bundle = study.stack.party('regulator').file('altered.jsonl')
    await writeFile(bundle, `${altered.join('\n')}\n`)
    const { exit, answer } = await offline(bundle)
    expect(exit).toBe(1)
    const [report] = answer['contracts'] as { breaches: { rule: string; entry: { type: string } | null }[] }[]
    expect(report?.breaches.map(({ rule }) => rule)).toContain('record.logged')
    expect(report?.breaches.some(({ entry }) => entry?.type === 'accept')).toBe(true)
  })

  it('holds the receipt, from its one file, without any agent and with a coordinator that is not asked', async () => {
    const { exit, answer } = await withoutHome('receipt', 'verify', receipt)
    const checks = (answer['checks'] ?? []) as { ok: boolean; check: string }[]
    expect(checks.filter(({ ok }) => !ok)).toEqual([])
    expect(answer).toMatchObject({ ok: true, offline: true, simulated: true })
    expect(exit).toBe(0)
    const own = await study.stack.party('regulator').must('receipt', 'verify', receipt, '--offline')
    expect(own).toMatchObject({ ok: true, offline: true })
  })

  it('holds no receipt whose file lacks a statement, offline as little as online', async () => {
    const bundle = JSON.parse(await readFile(receipt, 'utf8')) as { run: { statements: { type: string }[] } }
    bundle.run.statements = bundle.run.statements.filter(({ type }) => type !== 'spend')
    const altered = study.stack.party('regulator').file('altered.json')
    await writeFile(altered, JSON.stringify(bundle))
    expect((await withoutHome('receipt', 'verify', altered)).exit).toBe(1)
  })
})
