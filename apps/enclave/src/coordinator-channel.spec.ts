import { mkdtemp, open, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signingKeyFromSeed } from '#libs/canonical'
import type { Connection } from '#libs/client'
import { seededBytes } from '#libs/testing'
import { awaitAssignment, coordinatorChannel } from './coordinator-channel.js'
import { limits } from './limits.js'

const refusal = {
  type: 'about:blank',
  title: 'The worker is not known',
  status: 404,
  code: 'WORKER_UNKNOWN',
  detail: 'no such worker',
  requestId: 'request',
}

/** A coordinator that is away for so many requests, and refuses every later one. */
function awayFor(requests: number): { readonly answer: RequestListener; readonly asked: string[] } {
  const asked: string[] = []
  const answer: RequestListener = (request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`)
    if (asked.length <= requests) request.socket.destroy()
    else response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(refusal))
  }
  return { answer, asked }
}

describe('what an instance asks a coordinator', () => {
  let server: Server
  let connection: Connection

  async function reach(answer: RequestListener): Promise<void> {
    server.on('request', answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    connection = {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      origin: 'log.test/1',
      key: await signingKeyFromSeed(seededBytes('worker')(32)),
      now: () => Date.now(),
      randomBytes: seededBytes('tokens'),
    }
  }

  beforeEach(() => {
    server = createServer()
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it('goes on waiting for a run while nobody answers, and ends where it is refused', async () => {
    const { answer, asked } = awayFor(2)
    await reach(answer)
    await expect(awaitAssignment(connection)).rejects.toMatchObject({ code: 'COORDINATOR_REFUSED' })
    expect(asked).toHaveLength(3)
  })

  it('goes on fetching ciphertext while nobody answers', async () => {
    const { answer, asked } = awayFor(2)
    await reach(answer)
    const folder = await mkdtemp(join(tmpdir(), 'sealroom-channel-'))
    const file = await open(join(folder, 'ciphertext'), 'w+')
    const channel = coordinatorChannel(connection, 'ab'.repeat(32))
    const fetched = channel.download({ digest: 'cd'.repeat(32), size: 10 }, file)
    await expect(fetched).rejects.toMatchObject({ code: 'COORDINATOR_REFUSED' })
    await file.close()
    await rm(folder, { recursive: true })
    expect(asked).toHaveLength(3)
  })

  it('does not repeat what was refused', async () => {
    const { answer, asked } = awayFor(0)
    await reach(answer)
    await expect(awaitAssignment(connection)).rejects.toMatchObject({ code: 'COORDINATOR_REFUSED' })
    expect(asked).toHaveLength(1)
  })

  it('pauses for longer, all in all, than a coordinator takes to start', () => {
    const pauses = Array.from({ length: limits.sendAttempts - 1 }, (_, index) =>
      Math.min(200 * 2 ** index, limits.sendPauseMilliseconds),
    )
    expect(pauses.reduce((sum, pause) => sum + pause)).toBeGreaterThan(10_000)
  })
})
