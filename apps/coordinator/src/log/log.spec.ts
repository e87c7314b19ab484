import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromHex, utf8 } from '#libs/canonical'
import {
  findCosignature,
  leafHash,
  MerkleTree,
  parseLeaf,
  parseNote,
  verifyConsistency,
  verifyInclusion,
  verifySignedCheckpoint,
} from '#libs/translog'
import { operations } from '../health/openapi.js'
import { Play } from '../testing/play.js'
import { aStage, testOrigin, type Stage } from '../testing/stage.js'

describe('the log', () => {
  let stage: Stage
  let play: Play

  beforeAll(async () => {
    stage = await aStage()
    play = await Play.begin(stage)
  })
  afterAll(async () => {
    await stage.close()
  })

  it('shows leaves whose tree is the one that it signed, and proves each of them', async () => {
    const { client } = play.cast.regulator
    const { size, root, note } = await client.checkpoint()
    await verifySignedCheckpoint(note, { origin: testOrigin, key: stage.log.logKey })
    const { leaves } = await client.leaves(0, size)
    const tree = MerkleTree.fromLeafHashes(leaves.map((leaf) => leafHash(utf8(leaf))))
    expect(tree.root()).toEqual(fromHex(root))
    for (const [index, leaf] of leaves.entries()) {
      const { proof } = await client.inclusion(parseLeaf(utf8(leaf)).digest, size)
      verifyInclusion({
        leafHash: leafHash(utf8(leaf)),
        index,
        size,
        root: fromHex(root),
        proof: proof.map(fromHex),
      })
    }
    const { proof } = await client.consistency(3, size)
    verifyConsistency({
      from: 3,
      fromRoot: tree.root(3),
      to: size,
      toRoot: fromHex(root),
      proof: proof.map(fromHex),
    })
  })

  it('names nobody: signers and runs are pseudonyms, of identities not even those', async () => {
    const { leaves } = await play.cast.regulator.client.leaves(0, 100)
    const text = leaves.join()
    for (const party of [play.cast.north, play.cast.south, play.cast.lab, play.cast.regulator])
      expect(text).not.toContain(party.thumbprint)
    expect(
      leaves
        .map((leaf) => parseLeaf(utf8(leaf)))
        .filter(({ type }) => type === 'identity')
        .every(({ signer }) => signer === null),
    ).toBe(true)
  })

  it('refuses what it does not have', async () => {
    const { client } = play.cast.regulator
    const { size } = await client.checkpoint()
    await expect(client.inclusion('a'.repeat(64), size)).rejects.toMatchObject({
      problem: { code: 'LEAF_UNKNOWN' },
    })
    await expect(client.checkpointAt(size + 1)).rejects.toMatchObject({
      problem: { code: 'CHECKPOINT_UNKNOWN' },
    })
    await expect(client.consistency(5, size + 5)).rejects.toMatchObject({ problem: { code: 'SIZE_INVALID' } })
    await expect(client.leaves(5, 4)).rejects.toMatchObject({ problem: { code: 'REQUEST_MALFORMED' } })
  })

  it('asks every witness for a cosignature when a party asks, and gives each what it has yet to cosign', async () => {
    const { lab, north, south } = play.cast
    const { next } = await north.client.events(0)
    await lab.client.requestCosignatures(play.contract)
    const { events } = await north.client.events(next)
    expect(events).toMatchObject([{ kind: 'cosign', contract: play.contract }])
    const size = await north.cosignNewest()
    expect(size).toBe(events[0]?.size)
    await stage.party('another leaf')
    expect(await south.cosignNewest()).toBe(size)
    const { note } = await lab.client.checkpointAt(size)
    expect(note.match(/^— log\.test\/1\/witness\//gm)).toHaveLength(2)
    expect((await south.client.checkpoint()).size).toBe(size + 1)
  })

  it('keeps the newest cosignature of a witness, and tells who waits for it', async () => {
    const { lab, north } = play.cast
    await lab.client.requestCosignatures(play.contract)
    const size = await north.cosignNewest()
    const timeOf = async () => {
      const { note } = await lab.client.checkpointAt(size)
      const name = `${testOrigin}/witness/${north.thumbprint}`
      return await findCosignature(parseNote(note), { name, key: north.daemon.publicKey })
    }
    const first = await timeOf()
    const { next } = await lab.client.events(0)
    stage.clock.advance(5000)
    await north.cosignNewest()
    const second = await timeOf()
    expect(second?.timeSeconds).toBeGreaterThanOrEqual((first?.timeSeconds ?? 0) + 5)
    expect((await lab.client.events(next)).events).toMatchObject([{ kind: 'checkpoint', size }])
    stage.clock.advance(-3000)
    await north.cosignNewest()
    expect(await timeOf()).toEqual(second)
  })

  it('shows a statement to those whom it concerns', async () => {
    const view = await play.cast.lab.client.contract(play.contract)
    const [first] = view.statements
    expect((await play.cast.south.client.statement(first?.digest ?? '')).statement).toBe(first?.statement)
    const stranger = await stage.party('stranger')
    await expect(stranger.client.statement(first?.digest ?? '')).rejects.toMatchObject({
      problem: { code: 'STATEMENT_UNKNOWN' },
    })
  })

  it('and all else that is served is described by the OpenAPI document', async () => {
    const routes = stage.coordinator.app.getHttpAdapter().getInstance() as {
      hasRoute: (route: { method: string; url: string }) => boolean
    }
    for (const [path, methods] of Object.entries(operations))
      for (const method of Object.keys(methods))
        expect([
          path,
          method,
          routes.hasRoute({ method: method.toUpperCase(), url: path.replaceAll(/\{(\w+)\}/g, ':$1') }),
        ]).toEqual([path, method, true])
    const document = (await (await fetch(`${stage.url}/openapi.json`)).json()) as {
      paths: object
      openapi: string
    }
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths)).toEqual(Object.keys(operations))
  })
})
