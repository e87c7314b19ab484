import { createHash } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toBase64url } from '#libs/canonical'
import type { ReleasedOutput } from '#libs/protocol'
import { writeModel } from './write-model.js'

const bytes = Buffer.from('a model')
const sha256 = createHash('sha256').update(bytes).digest('hex')

const trained = (): Extract<ReleasedOutput, { type: 'sealroom/training/v1' }> => ({
  type: 'sealroom/training/v1',
  ...{ contract: 'a'.repeat(64), run: 'b'.repeat(64), output: 'model', simulated: true, controls: [] },
  table: { columns: [{ name: 'term', type: 'string' }], rows: 0, values: [[]] },
  card: {
    ...{ algorithm: 'logistic-regression', status: 'trained', target: 'died' },
    ...{ input: { name: 'x', terms: [{ name: 'age', level: null }] }, output: 'probability' },
    ...{ l2: '1', heldOut: '0.25' },
  },
  model: { onnx: toBase64url(bytes), sha256 },
})

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealroom-model-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('writeModel', () => {
  it('writes the file as it was made, and a card that names run, input and digest, for its owner alone', async () => {
    const [cardFile = '', modelFile = ''] = await writeModel(folder, trained())
    expect(await readFile(modelFile)).toEqual(bytes)
    expect(JSON.parse(await readFile(cardFile, 'utf8'))).toMatchObject({
      ...{ run: 'b'.repeat(64), simulated: true, sha256, output: 'probability' },
      input: { terms: [{ name: 'age', level: null }] },
    })
    expect((await stat(modelFile)).mode & 0o077).toBe(0)
  })

  it('writes no file where there is no model', async () => {
    await writeModel(folder, { ...trained(), model: null })
    expect(await readdir(folder)).toEqual(['model.card.json'])
  })

  it('refuses a file of another digest than it says', async () => {
    const other = { ...trained(), model: { onnx: toBase64url(bytes), sha256: 'c'.repeat(64) } }
    await expect(writeModel(folder, other)).rejects.toMatchObject({ code: 'RESULT_NOT_VERIFIED' })
    expect(await readdir(folder)).toEqual([])
  })
})
