import { createConnection } from 'node:net'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededBytes } from '#libs/testing'
import type { AgentError } from '../errors.js'
import { AgentStore } from '../store/agent-store.js'
import { LevelStore } from '../store/level-store.js'
import { spaces } from '../store/records.js'
import { ControlClient } from './control-client.js'
import { changesPerLine, pageEntries } from './control-messages.js'
import { serveControl, type ControlServer } from './control-server.js'
import { socketPath } from './socket-path.js'

const key = new Uint8Array(32).fill(3)
let folder = ''
let raw: LevelStore
let server: ControlServer
let told: string[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealroom-control-'))
  raw = await LevelStore.open(join(folder, 'store'))
  told = []
  server = await serveControl(socket(), raw, {
    hello: () => ({ version: 1, pid: 42, since: '2026-11-23T12:00:00.000Z' }),
    nudge: () => told.push('nudge'),
    reload: () => told.push('reload'),
    stop: () => told.push('stop'),
  })
})
afterEach(async () => {
  await server.close()
  await raw.close()
  await rm(folder, { recursive: true })
})

const socket = () => join(folder, 'control.sock')
async function connected(): Promise<ControlClient> {
  const client = await ControlClient.connect(socket())
  if (client === null) throw new Error('nobody listens')
  return client
}
async function throughDaemon(): Promise<{ client: ControlClient; store: AgentStore }> {
  const client = await connected()
  return { client, store: AgentStore.over(client, key, seededBytes('client')) }
}

describe('the control socket', () => {
  it('is for its owner alone', async () => {
    expect((await stat(socket())).mode & 0o777).toBe(0o600)
  })

  it('lets a command read and write the store that the daemon holds', async () => {
    const { client, store } = await throughDaemon()
    const pin = { label: 'north', pinnedAt: '2026-11-23T12:00:00.000Z' }
    await store.write(store.put(spaces.pins, 'a', pin), store.put(spaces.state, 'x', 'y'))
    const daemons = AgentStore.over(raw, key, seededBytes('daemon'))
    expect(await daemons.get(spaces.pins, 'a')).toEqual(pin)
    expect(await store.list(spaces.pins)).toEqual([['a', pin]])
    await store.write(store.remove(spaces.pins, 'a'))
    expect(await daemons.get(spaces.pins, 'a')).toBeUndefined()
    await client.close()
  })

  it('writes more records than one line holds, all of them or none', async () => {
    const { client, store } = await throughDaemon()
    const changes = Array.from({ length: changesPerLine * 2 + 5 }, (_, index) =>
      store.put(spaces.state, String(index), 'x'),
    )
    await Promise.all([store.write(...changes), store.write(store.put(spaces.state, 'beside', 'y'))])
    expect(await store.list(spaces.state)).toHaveLength(changes.length + 1)
    const bad = [
      ...changes.map(({ key }) => ({ key, value: undefined })),
      { key: 'spends!x', value: undefined },
    ]
    await expect(store.write(...bad)).rejects.toMatchObject({ code: 'STORE_IN_USE' })
    expect(await AgentStore.over(raw, key, seededBytes('daemon')).list(spaces.state)).toHaveLength(
      changes.length + 1,
    )
    await client.close()
  })

  it('lists more records than one answer holds, each once and in order', async () => {
    const { client, store } = await throughDaemon()
    const names = Array.from({ length: pageEntries * 2 + 1 }, (_, index) => String(index).padStart(6, '0'))
    await store.write(...names.map((name) => store.put(spaces.state, name, name)))
    expect((await store.list(spaces.state)).map(([name]) => name)).toEqual(names)
    await client.close()
  })

  it.each([spaces.spends, spaces.spendHeads, spaces.runs])(
    'refuses to write the counters that only the daemon writes: $name',
    async (space) => {
      const { store } = await throughDaemon()
      await expect(store.write({ key: `${space.name}!x`, value: new Uint8Array(3) })).rejects.toMatchObject({
        code: 'STORE_IN_USE',
      })
      expect(await raw.get(`${space.name}!x`)).toBeUndefined()
    },
  )

  it('ends the connection of whoever asks for what there is not', async () => {
    const client = await connected()
    await expect(client.get('nowhere!x')).rejects.toMatchObject({ code: 'STORE_IN_USE' })
  })

  it.each(['not json\n', '{"id":1}\n', '{"id":1,"method":"exec"}\n', 'x'.repeat(17 * 1024 * 1024)])(
    'ends a connection that says %.20s',
    async (text) => {
      const connection = createConnection(socketPath(socket()))
      connection.on('error', () => undefined)
      const closed = new Promise((resolve) => connection.once('close', resolve))
      connection.write(text)
      await closed
      const client = await connected()
      expect((await client.hello()).pid).toBe(42)
      await client.close()
    },
  )

  it('passes on what the daemon is to do', async () => {
    const client = await connected()
    await client.tell('nudge')
    await client.tell('reload')
    await client.tell('stop')
    expect(told).toEqual(['nudge', 'reload', 'stop'])
    await client.close()
  })

  it('lets one at a time into what is exclusive, over all processes', async () => {
    const [a, b] = [await connected(), await connected()]
    const order: string[] = []
    const first = a.exclusively('log', async () => {
      order.push('a in')
      await b.hello()
      order.push('a out')
    })
    const second = b.exclusively('log', () => Promise.resolve(order.push('b')))
    const third = raw.exclusively('other', () => Promise.resolve(order.push('other')))
    await Promise.all([first, second, third])
    expect(order.filter((what) => what !== 'other')).toEqual(['a in', 'a out', 'b'])
    await a.close()
    await b.close()
  })

  it('gives back what a command held that went away', async () => {
    const [a, b] = [await connected(), await connected()]
    let inside: () => void = () => undefined
    const entered = new Promise<void>((resolve) => (inside = resolve))
    const lost = a.exclusively('log', async () => {
      inside()
      await new Promise(() => undefined)
    })
    lost.catch(() => undefined)
    await entered
    await a.close()
    expect(await b.exclusively('log', () => Promise.resolve('got it'))).toBe('got it')
    await b.close()
  })

  it('tells whoever waits that the daemon ended', async () => {
    const client = await connected()
    await raw.exclusively('log', async () => {
      const waiting = client
        .exclusively('log', () => Promise.resolve())
        .catch((error: unknown) => (error as AgentError).code)
      await client.hello()
      await server.close()
      expect(await waiting).toBe('STORE_IN_USE')
    })
  })

  it('is nobody where no daemon runs', async () => {
    expect(await ControlClient.connect(join(folder, 'other.sock'))).toBeNull()
  })
})

describe('a store', () => {
  it('is refused to a second process', async () => {
    await expect(LevelStore.open(join(folder, 'store'))).rejects.toMatchObject({ code: 'STORE_IN_USE' })
  })

  it('goes on after an exclusive action that failed', async () => {
    await expect(raw.exclusively('x', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await raw.exclusively('x', () => Promise.resolve('yes'))).toBe('yes')
  })
})
