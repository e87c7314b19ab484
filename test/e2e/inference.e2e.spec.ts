import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Narrator } from '../../demo/src/narrator.js'
import { Stack } from '../../demo/src/stack/stack.js'
import { features, readCsv, rotterdamModel } from '../../demo/src/story/learn.js'
import {
  agreeOnScores,
  areaUnderCurve,
  meet,
  scorePatients,
  scoringLabels,
  sealModelAndPatients,
} from '../../demo/src/story/score.js'

const tell = new Narrator(() => undefined)
let stack: Stack | null = null
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealroom-e2e-'))
  stack = await Stack.start({ folder, labels: [...scoringLabels] })
}, 240_000)

afterAll(async () => {
  await stack?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('a hospital that scores its own patients with a model of somebody else', () => {
  it('gets what plain onnxruntime gives, rounded as the contract says, through real processes', async () => {
    if (stack === null) throw new Error('nothing was started')
    const contract = await agreeOnScores(tell, stack, await meet(tell, stack))
    await sealModelAndPatients(tell, stack, contract)
    const { scores } = await scorePatients(tell, stack, contract)
    expect(tell.unexpected).toBe(0)
    expect(scores.columns.map(({ name }) => name)).toEqual(['pid', 'score'])
    const patients = (await readCsv('german.csv')).toSorted((a, b) => Number(a['pid']) - Number(b['pid']))
    expect(scores.values[0]).toEqual(patients.map(({ pid }) => Number(pid)))
    const session = await InferenceSession.create(await rotterdamModel())
    const rows = patients.flatMap((patient) => features.map((feature) => featureOf(patient, feature)))
    const input = new Tensor('float32', Float32Array.from(rows), [patients.length, features.length])
    const plain = (await session.run({ rows: input }))['scores']?.data as Float32Array
    scores.values[1]?.forEach((score, i) => {
      expect(Math.abs(Number(score) - (plain[i] ?? NaN))).toBeLessThanOrEqual(0.0005 + 1e-9)
    })
    expect(await areaUnderCurve(scores)).toBeGreaterThan(0.6)
  }, 240_000)
})

function featureOf(patient: Readonly<Record<string, string>>, feature: (typeof features)[number]): number {
  if (feature === 'over_20') return Number(patient['size']) > 20 ? 1 : 0
  if (feature === 'over_50') return Number(patient['size']) > 50 ? 1 : 0
  return Number(patient[feature])
}
