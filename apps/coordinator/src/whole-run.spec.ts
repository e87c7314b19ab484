import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchKind } from '#libs/protocol'
import { Play } from './testing/play.js'
import { aStage, type Stage } from './testing/stage.js'
import { idsOf } from './testing/read-statements.js'

describe('a whole run', () => {
  let stage: Stage
  let play: Play

  beforeAll(async () => {
    stage = await aStage()
    play = await Play.begin(stage)
  })

  afterAll(async () => {
    await stage.close()
  })

  it('activates the contract with the last signature', async () => {
    const view = await play.cast.regulator.client.contract(play.contract)
    expect(view.state).toBe('active')
    expect(view.statements.map(({ type }) => type)).toEqual([
      'contract',
      'contract',
      'contract',
      'activation',
      'manifest',
      'manifest',
    ])
    expect(view.identities).toHaveLength(4)
  })

  it('goes from the request through every state to its fetched output', async () => {
    const worker = await stage.worker()
    const taking = worker.take()
    const run = await play.request()
    await play.ready(run)
    expect(await taking).toBe(true)
    const done = await play.until('completed', run, worker)
    expect(done.state).toBe('completed')
    expect(idsOf(done, 'spend')).toHaveLength(2)
    const { lab } = play.cast
    const fetchStatement = await lab.sign(fetchKind, {
      ...lab.own('fetch'),
      contract: play.contract,
      run,
      output: 'result',
    })
    await lab.client.record(fetchStatement.jws)
    const checkpoint = await lab.client.checkpointOf(run)
    expect(checkpoint.note.match(/witness/g)).toHaveLength(2)
  })
})
