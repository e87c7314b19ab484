import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startEngine, type Engine } from '#libs/engine'
import { openOutput } from '#libs/testing'
import {
  everythingThatLeft,
  marker,
  parquetOfGroups,
  playEnclave,
  type EnclaveScene,
} from './stage/enclave-under-attack.js'

/** Invariants 3 and 6: nothing leaves that the controls have not passed, nothing in the clear, nothing before it is on record. */
let parser: Engine
let parquet: Uint8Array

beforeAll(async () => {
  parser = await startEngine({ limits: { threads: 1 } })
  parquet = await parquetOfGroups()
})

afterAll(async () => {
  await parser.close()
})

describe('an enclave', () => {
  it('lets a group of five leave and none of four or one', async () => {
    const played = await playEnclave(parser, parquet)
    const { table, controls, simulated } = await openOutput(played.run, played.lab)
    expect(table.values).toEqual([[`five ${marker}`], [5]])
    // Not even inside the seal is it told how many groups were too small.
    expect(controls[0]).toMatchObject({ control: 'minimumGroupSize', rowsBefore: 1, rowsAfter: 1 })
    expect(simulated).toBe(true)
    const left = everythingThatLeft(played)
    expect(left).not.toContain(marker)
    expect(left).not.toContain('rowsBefore')
  })

  it('seals results of one row and of none to the same size', async () => {
    const sizeOf = async (except: string) => {
      const { said } = await playEnclave(parser, parquet, { part: { parameters: { except }, query: null } })
      return said.receipt?.payload.outputs[0]?.size
    }
    expect(await sizeOf(`five ${marker}`)).toBe(await sizeOf('nobody'))
  })

  const failing: readonly [what: string, options: () => EnclaveScene, outcome: string][] = [
    [
      'data that is no Parquet',
      () => ({ parquet: new TextEncoder().encode(`${marker} is no Parquet`.repeat(20)) }),
      'inputUnreadable',
    ],
    [
      'a parameter that is not declared',
      () => ({ part: { parameters: { except: marker, more: marker }, query: null } }),
      'requestInvalid',
    ],
    [
      'a query of the requester’s own',
      () => ({ part: { parameters: { except: marker }, query: `select '${marker}' from stays` } }),
      'requestInvalid',
    ],
    [
      'an engine that dies with data in its message',
      () => ({
        engine: async () => {
          const engine = await startEngine({ inputs: 4, limits: { threads: 1 } })
          engine.load = () => {
            engine.kill()
            return Promise.reject(new Error(`cannot cast ${marker} to int`))
          }
          return engine
        },
      }),
      'engineFailed',
    ],
  ]
  it.each(failing)(
    'says one word of %s, and carries no marker out in it',
    async (_what, options, outcome) => {
      const played = await playEnclave(parser, parquet, options())
      expect(played.said.receipt?.payload).toMatchObject({ outcome, outputs: [] })
      expect(played.run.uploads).toBe(0)
      expect(played.said.outputKeys).toBeUndefined()
      // The owner's own ciphertext lies among the blobs; what the enclave said must not hold the marker in any spelling.
      for (const spelling of [
        marker,
        Buffer.from(marker).toString('base64url').slice(0, 20),
        Buffer.from(marker).toString('hex'),
      ])
        expect(everythingThatLeft(played)).not.toContain(spelling)
    },
  )

  it('lets nothing out when an owner’s lease runs out, and names the owner', async () => {
    const played = await playEnclave(parser, parquet, {
      stage: {
        recorded: (type, run) => {
          if (type === 'start') run.owners()[0]?.owner.clock.advance(61_000)
        },
      },
    })
    expect(played.said.end).toMatchObject({ code: 'leaseLost', owner: played.north.thumbprint })
    expect(played.said.outputKeys).toBeUndefined()
    expect(everythingThatLeft(played)).not.toContain(marker)
  })

  it('gives no output keys while its Receipt is not recorded: an output that was fetched before stays shut', async () => {
    const played = await playEnclave(parser, parquet, {
      stage: {
        unlogged: (type) => type === 'receipt',
        idle: (wait, run) => {
          run.owners()[0]?.owner.clock.advance(wait * 1000)
          return run.said.receipt !== undefined
        },
      },
    })
    const { said, run } = played
    expect(said.receipt?.payload.outcome).toBe('completed')
    expect(run.blobs.has(said.receipt?.payload.outputs[0]?.digest ?? '')).toBe(true)
    expect(said.end?.code).toMatch(/unrecorded|leaseLost/)
    expect(said.outputKeys).toBeUndefined()
    await expect(openOutput(played.run, played.lab)).rejects.toThrow('nothing was released')
  })
})
