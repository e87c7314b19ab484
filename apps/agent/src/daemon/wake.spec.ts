import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { signingKeyFromSeed } from '#libs/canonical'
import { aClock, seededBytes } from '#libs/testing'
import { listenForWakeUps } from './wake.js'

const silence = 30_000
const later = setTimeout

describe('listening for wake-ups', () => {
  const stop = new AbortController()
  let pauses: number[]
  let server: Server

  beforeEach(async () => {
    pauses = []
    // Pauses between attempts are noted, not waited for.
    vi.spyOn(globalThis, 'setTimeout').mockImplementation((action: () => void, milliseconds = 0) => {
      if (milliseconds === silence) return later(action, milliseconds)
      pauses.push(milliseconds)
      return later(action, 0)
    })
    server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
  })

  afterEach(() => {
    stop.abort()
    vi.restoreAllMocks()
    server.close()
  })

  const connection = async () => ({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    origin: 'log.example.org/1',
    key: await signingKeyFromSeed(seededBytes('north')(32)),
    now: aClock().now,
    randomBytes: seededBytes('wake'),
  })

  it('tries a coordinator that is away again soon, however long it was, and soon again once it was there', async () => {
    let attempts = 0
    const seen = new Promise<void>((resolve) => {
      server.on('connection', (socket) => {
        socket.destroy()
        if (++attempts === 8) resolve()
      })
    })
    let woken = (): void => undefined
    const heard = new Promise<void>((resolve) => {
      woken = resolve
    })
    listenForWakeUps(await connection(), stop.signal, () => {
      woken()
    })
    await seen
    expect(pauses.slice(0, 7)).toEqual([200, 400, 800, 1600, 2000, 2000, 2000])

    const answering = new WebSocketServer({ noServer: true })
    server.removeAllListeners('connection')
    const http = createHttpServer().on('upgrade', (request, socket, head) => {
      answering.handleUpgrade(request, socket, head, (accepted) => {
        accepted.on('close', () => undefined)
      })
    })
    server.on('connection', (socket) => http.emit('connection', socket))
    await heard
    pauses = []
    const [gone] = answering.clients
    server.removeAllListeners('connection')
    const back = once(server, 'connection')
    gone?.terminate()
    await back
    expect(pauses).toEqual([200])
  })
})
