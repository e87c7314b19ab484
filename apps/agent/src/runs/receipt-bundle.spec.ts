import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { writeFile } from 'node:fs/promises'
import { aStudy, type Study } from '../testing/study.js'

let study: Study
beforeAll(async () => {
  study = await aStudy()
})
afterAll(async () => {
  await study.end()
})

const bundle = () => ({
  sealroom: 'receipt-bundle/v1',
  log: {
    origin: 'log.test/1',
    key: study.coordinator.log.key.publicKey.x,
    coordinatorKey: study.coordinator.log.coordinatorKey.publicKey.x,
  },
  contract: {
    id: 'a'.repeat(64),
    name: 'x',
    state: 'active',
    waitingFor: [],
    statements: [],
    identities: [],
  },
  run: {
    id: 'b'.repeat(64),
    contract: 'a'.repeat(64),
    computation: 'c',
    state: 'completed',
    version: 1,
    round: 1,
    waitingFor: [],
    endedBecause: null,
    requestedAt: '2026-11-23T12:00:00.000Z',
    statements: [],
    outputs: [],
  },
  checkpoint: { size: 1, root: 'a'.repeat(64), note: '' },
  inclusion: { index: 0, size: 1, proof: [] },
})
const verify = async (content: unknown) => {
  const file = await study.people.watch.write(
    'receipt.json',
    typeof content === 'string' ? content : JSON.stringify(content),
  )
  return await study.people.watch.says('receipt', 'verify', file)
}

describe('a receipt bundle', () => {
  it('without a contract in it proves nothing', async () => {
    const { exit, err } = await verify(bundle())
    expect(exit).toBe(1)
    expect(err).toContain('[CONTRACT_NOT_VERIFIED]')
  })

  it('of another log is refused', async () => {
    const { exit, err } = await verify({ ...bundle(), log: { ...bundle().log, key: 'k'.repeat(43) } })
    expect(exit).toBe(2)
    expect(err).toContain('this agent has pinned log.test/1')
  })

  it.each([
    ['', 'nothing'],
    ['not json', 'no JSON'],
    ['{}', 'an empty object'],
    ['[]', 'a list'],
    ['null', 'null'],
  ])('is not %j (%s)', async (text) => {
    expect((await verify(text)).exit).toBe(2)
  })

  it('with one member more is refused', async () => {
    expect((await verify({ ...bundle(), more: 1 })).exit).toBe(2)
  })

  it('ends in a coded error whatever the file holds', async () => {
    const file = study.people.watch.file('fuzz.json')
    const property = fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (text) => {
      await writeFile(file, text)
      expect((await study.people.watch.says('receipt', 'verify', file)).exit).toBe(2)
    })
    await fc.assert(property, { numRuns: 20 })
  })
})
