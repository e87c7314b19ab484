import { describe, expect, it } from 'vitest'
import { startEngine, type Engine } from '#libs/engine'
import { encodeModel, logisticModel } from '#libs/model'
import { openOutput } from '#libs/testing'
import { playInference, type Rows } from '../../apps/enclave/src/testing/inference-stage.js'

/** Invariant 3, of scores: through `rowsOf` an owner gets what is made of rows that it sealed itself, and of no other. */
const model = encodeModel(logisticModel([0.03, 0.2], -2))
const secret = 'southern-patient'
const rows = {
  north: { id: ['n1', 'n2'], age: [40, 50], nodes: [1, 2] },
  south: { id: [`${secret}-1`, `${secret}-2`, 'n1'], age: [80, 81, 82], nodes: [19, 18, 17] },
} as const satisfies Record<string, Rows>

const valuesOf = async (played: Awaited<ReturnType<typeof playInference>>) =>
  (await openOutput(played.run, played.parties.north, 'norths')).table.values

describe('an owner that wants more than the scores of its own rows', () => {
  it('gets of a person whom both have sealed the score of its own row alone', async () => {
    const alone = await playInference({
      model,
      rows: { ...rows, south: { id: ['x'], age: [1], nodes: [1] } },
    })
    const together = await playInference({ model, rows })
    expect(await valuesOf(together)).toEqual(await valuesOf(alone))
  })

  it('cannot open the scores of the other', async () => {
    const played = await playInference({ model, rows })
    await expect(openOutput(played.run, played.parties.north, 'souths')).rejects.toThrow(
      'nothing was released',
    )
    await expect(openOutput(played.run, played.parties.maker, 'norths')).rejects.toThrow(
      'nothing was released',
    )
  })

  it('seals ids of the other’s patients, and gets the scores of what it sealed itself', async () => {
    const guessed = { ...rows.north, id: [`${secret}-1`, `${secret}-2`] }
    const played = await playInference({ model, rows: { ...rows, north: guessed } })
    const honest = await playInference({ model, rows })
    expect((await valuesOf(played))[1]).toEqual((await valuesOf(honest))[1])
  })

  it('has taken over the engine, which gives everybody’s rows: nothing leaves, and no word of them', async () => {
    const everybody = async (inputs: number): Promise<Engine> => {
      const engine = await startEngine({ inputs, limits: { threads: 1 } })
      const query = engine.query.bind(engine)
      engine.query = (sql, parameters, caps) =>
        query(sql.replace(/WHERE .* ORDER BY/, 'ORDER BY'), parameters, caps)
      return engine
    }
    const played = await playInference({ model, rows, engine: everybody })
    expect(played.said.receipt?.payload).toMatchObject({ outcome: 'engineFailed', outputs: [] })
    expect(played.said.outputKeys).toBeUndefined()
    expect(JSON.stringify([played.said.end, played.said.receipt?.payload])).not.toContain(secret)
  })
})
