import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { toBase64url, type SigningKey } from '#libs/canonical'
import { createRequestToken, requestScheme, routes, type RequestClaims } from '#libs/protocol'
import { WorkerPool } from '../runs/worker-pool.js'
import { Play } from '../testing/play.js'
import { aStage, testOrigin, type Stage } from '../testing/stage.js'
import type { TestParty } from '../testing/party.js'
import { EventFeed } from './event-feed.js'

describe('the wake-up socket', () => {
  let stage: Stage
  let play: Play

  beforeAll(async () => {
    stage = await aStage()
    play = await Play.begin(stage)
  })
  afterAll(async () => {
    await stage.close()
  })

  const tokenOf = async (key: SigningKey, change: Partial<RequestClaims> = {}) =>
    `${requestScheme} ${await createRequestToken(
      {
        aud: testOrigin,
        method: 'GET',
        path: routes.wake,
        iat: stage.clock.now(),
        jti: toBase64url(randomBytes(16)),
        body: null,
        offset: null,
        length: null,
        ...change,
      },
      key,
    )}`
  const open = (authorization?: string, on = stage) =>
    new WebSocket(on.url.replace('http', 'ws') + routes.wake, {
      headers: authorization === undefined ? {} : { authorization },
    })
  const statusOf = async (socket: WebSocket) => {
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number; destroy: () => void },
    ]
    response.destroy()
    return response.statusCode
  }
  const connect = async (party: TestParty) => {
    const socket = open(await tokenOf(party.daemon))
    const first = once(socket, 'message')
    await once(socket, 'open')
    return { socket, first: cursorOf((await first) as [Buffer]) }
  }
  const cursorOf = ([data]: [Buffer]) => (JSON.parse(data.toString()) as { cursor: number }).cursor

  it('is closed to whoever is not a party, with 401 at the upgrade', async () => {
    expect(await statusOf(open())).toBe(401)
    expect(await statusOf(open('Sealroom junk'))).toBe(401)
    expect(await statusOf(open(await tokenOf(play.cast.north.consent)))).toBe(401)
    expect(await statusOf(open(await tokenOf(play.cast.north.daemon, { path: '/v1/events' })))).toBe(401)
    const worker = await stage.worker()
    expect(await statusOf(open(await tokenOf(worker.key)))).toBe(401)
    const token = await tokenOf(play.cast.north.daemon)
    const socket = open(token)
    await once(socket, 'open')
    expect(await statusOf(open(token))).toBe(401)
    socket.close()
  })

  it('wakes those whom an event concerns, with a cursor and nothing else, and the feed has what happened', async () => {
    const stranger = await stage.party('stranger')
    const [north, other] = [await connect(play.cast.north), await connect(stranger)]
    const strange: unknown[] = []
    other.socket.on('message', (data) => strange.push(data))
    const woken = once(north.socket, 'message')
    const run = await play.request()
    const cursor = cursorOf((await woken) as [Buffer])
    expect(cursor).toBeGreaterThan(north.first)
    const { events, next } = await play.cast.north.client.events(north.first)
    expect(events.at(-1)).toMatchObject({ kind: 'run', run, contract: play.contract })
    expect(next).toBeGreaterThanOrEqual(cursor)
    expect((await play.cast.north.client.events(next)).events).toEqual([])
    expect((await stranger.client.events(0)).events.filter(({ kind }) => kind !== 'identity')).toEqual([])
    expect(strange).toEqual([])
    north.socket.close()
    other.socket.close()
  })

  it('says so once, and again only after the feed was read', async () => {
    const { north } = play.cast
    const { socket } = await connect(north)
    const words: number[] = []
    socket.on('message', (data: Buffer) => words.push(cursorOf([data])))
    const first = once(socket, 'message')
    await play.request()
    await first
    await play.request()
    // A pong comes after whatever was sent before it.
    const pong = once(socket, 'pong')
    socket.ping()
    await pong
    expect(words).toHaveLength(1)
    const { next } = await north.client.events(words[0] ?? 0)
    expect(next).toBeGreaterThan(words[0] ?? 0)
    const second = once(socket, 'message')
    await play.request()
    await second
    expect(words).toHaveLength(2)
    expect(words[1]).toBeGreaterThan(next)
    socket.close()
  })

  it('wakes nobody for a statement that leaves its run where it stood, which the feed holds all the same', async () => {
    const { north, south } = play.cast
    const worker = await stage.worker()
    const run = await play.request()
    await play.until('collectingNonces', run, worker)
    const { next } = await north.client.events(0)
    const { socket } = await connect(north)
    await north.client.events(next)
    const words: number[] = []
    socket.on('message', (data: Buffer) => words.push(cursorOf([data])))
    await play.nonce(south, run, 1)
    const pong = once(socket, 'pong')
    socket.ping()
    await pong
    expect(words).toEqual([])
    expect((await north.client.events(next)).events).toMatchObject([{ kind: 'run', run }])
    const woken = once(socket, 'message')
    await play.nonce(north, run, 1)
    await woken
    expect(words).toHaveLength(1)
    socket.close()
  })

  it.each(['cosign', 'checkpoint'] as const)(
    'wakes for a %s that moves no run, since somebody waits for it',
    async (kind) => {
      const other = await aStage()
      const begun = await Play.begin(other)
      const { cast, contract } = begun
      const run = await begun.request()
      const socket = open(await tokenOf(cast.north.daemon), other)
      await once(socket, 'message')
      const { next } = await cast.north.client.events(0)
      const feed = other.coordinator.app.get(EventFeed)
      const woken = once(socket, 'message')
      const event = { contract, party: null, size: 1, recordedAt: new Date(0).toISOString() }
      feed.apply({ ...event, cursor: next + 1, kind, run: kind === 'cosign' ? run : null })
      expect(cursorOf((await woken) as [Buffer])).toBe(next + 1)
      socket.close()
      await other.close()
    },
  )

  it('tells with each event of a live run where the run stands now', async () => {
    const { north } = play.cast
    const run = await play.request()
    const { events } = await north.client.events(0)
    const { state, round } = await north.client.run(run)
    expect(events.filter((event) => event.run === run).map(({ moment }) => moment)).toContainEqual({
      state,
      round,
    })
  })

  it('says goodbye with 1001 when the server stops, and refuses what comes after', async () => {
    const other = await aStage()
    const party = await other.party('north')
    const authorization = `${requestScheme} ${await createRequestToken(
      {
        aud: testOrigin,
        method: 'GET',
        path: routes.wake,
        iat: other.clock.now(),
        jti: toBase64url(randomBytes(16)),
        body: null,
        offset: null,
        length: null,
      },
      party.daemon,
    )}`
    const socket = open(authorization, other)
    await once(socket, 'open')
    const closed = once(socket, 'close')
    const worker = await other.worker()
    const waiting = worker.take(20)
    const pool = other.coordinator.app.get(WorkerPool)
    await vi.waitFor(() => {
      expect(pool.isPolling(worker.key.thumbprint)).toBe(true)
    })
    await other.coordinator.close()
    expect((await closed)[0]).toBe(1001)
    expect(await waiting).toBe(false)
    await expect(party.client.contracts()).rejects.toMatchObject({ code: 'COORDINATOR_UNREACHABLE' })
    await other.close()
  })

  it('cuts off a client that does not answer pings', async () => {
    const quick = await aStage({ pingSeconds: 0.1 })
    const party = await quick.party('north')
    const authorization = `${requestScheme} ${await createRequestToken(
      {
        aud: testOrigin,
        method: 'GET',
        path: routes.wake,
        iat: quick.clock.now(),
        jti: toBase64url(randomBytes(16)),
        body: null,
        offset: null,
        length: null,
      },
      party.daemon,
    )}`
    const socket = new WebSocket(quick.url.replace('http', 'ws') + routes.wake, {
      headers: { authorization },
      autoPong: false,
    })
    socket.on('error', () => undefined)
    await once(socket, 'open')
    expect((await once(socket, 'close'))[0]).toBe(1006)
    await quick.close()
  })
})
