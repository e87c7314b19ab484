import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signingKeyFromSeed } from '#libs/canonical'
import { startEngine, type Engine } from '#libs/engine'
import { seededBytes } from '#libs/testing'
import { rehearse } from './rehearse.js'
import { simulatedSource } from './simulated-tee.js'

describe('rehearse', () => {
  const measurement = 'ab'.repeat(32)
  let parser: Engine

  beforeAll(async () => {
    parser = await startEngine({ limits: { threads: 1 } })
  })

  afterAll(async () => {
    await parser.close()
  })

  it('goes through a made-up run', async () => {
    const source = simulatedSource(await signingKeyFromSeed(new Uint8Array(32)), measurement)
    const worker = { source, build: { name: 'test', version: '0', measurement }, sandbox: parser.mode }
    await rehearse(worker, parser, seededBytes('rehearsal'))
  })

  it('fails where the TEE does not vouch for what runs', async () => {
    const source = simulatedSource(await signingKeyFromSeed(new Uint8Array(32)), measurement)
    const worker = {
      source,
      build: { name: 'test', version: '0', measurement: 'cd'.repeat(32) },
      sandbox: parser.mode,
    }
    await expect(rehearse(worker, parser, seededBytes('rehearsal'))).rejects.toMatchObject({
      code: 'BUILD_MISMATCH',
    })
  })
})
