/** The daemon's end of the control socket: commands of this user read and write the store through the process that holds it. */
import { chmod, unlink } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { fromBase64url, toBase64url } from '#libs/canonical'
import { reasonOf } from '../durable-file.js'
import { AgentError } from '../errors.js'
import type { Change, RawStore } from '../store/raw-store.js'
import {
  changesPerWrite,
  pageBytes,
  pageEntries,
  requestSchema,
  type ControlRequest,
  type Hello,
} from './control-messages.js'
import { parseLine, readLines, writeLine } from './json-lines.js'
import { socketPath } from './socket-path.js'

/** What the daemon does when a command asks. */
export interface ControlActions {
  readonly hello: () => Hello
  readonly nudge: () => void
  readonly reload: () => void
  readonly stop: () => void
}

export interface ControlServer {
  close(): Promise<void>
}

/**
 * Listens on the home's socket. The store's own lock says that no other daemon lives, so a socket file that is there was left behind.
 * @throws AgentError `HOME_INVALID`.
 */
export async function serveControl(
  path: string,
  store: RawStore,
  actions: ControlActions,
): Promise<ControlServer> {
  const place = socketPath(path)
  await unlink(place).catch(() => undefined)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serveSocket(socket, store, actions)
  })
  await listen(server, place)
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function listen(server: Server, place: string): Promise<void> {
  // The folder is the user's alone (0700, checked when the home is opened); the mode of the socket is the second lock.
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(place, resolve)
    })
    await chmod(place, 0o600)
  } catch (cause) {
    throw new AgentError('HOME_INVALID', `${place} cannot be listened on: ${reasonOf(cause)}`, { cause })
  } finally {
    process.umask(mask)
  }
}

function serveSocket(socket: Socket, store: RawStore, actions: ControlActions): void {
  const connection: Connection = { socket, held: new Map(), parts: [] }
  socket.on('close', () => {
    for (const release of connection.held.values()) release()
    connection.held.clear()
  })
  // A command that went away took its answers with it.
  socket.on('error', () => undefined)
  readLines(socket, (line) => {
    const request = requestSchema.safeParse(parseLine(line))
    if (!request.success) {
      socket.destroy()
      return
    }
    answer(request.data, store, actions, connection).then(
      (result) => {
        writeLine(socket, { id: request.data.id, result })
      },
      (error: unknown) => {
        writeLine(socket, { id: request.data.id, error: told(error) })
      },
    )
  })
}

/** A command that is connected: the locks that it holds, and the parts of a write that has not ended. */
interface Connection {
  readonly socket: Socket
  readonly held: Map<string, () => void>
  parts: Change[]
}

async function answer(
  request: ControlRequest,
  store: RawStore,
  actions: ControlActions,
  connection: Connection,
): Promise<unknown> {
  switch (request.method) {
    case 'hello':
      return actions.hello()
    case 'get': {
      const value = await store.get(request.name)
      return { value: value === undefined ? null : toBase64url(value) }
    }
    case 'list':
      return await page(store, request.from, request.to)
    case 'write':
      await write(store, request, connection)
      return null
    case 'lock':
      await acquire(store, request.name, connection)
      return null
    case 'unlock':
      connection.held.get(request.name)?.()
      connection.held.delete(request.name)
      return null
    case 'nudge':
    case 'reload':
    case 'stop':
      actions[request.method]()
      return null
  }
}

async function page(store: RawStore, from: string, to: string): Promise<unknown> {
  const entries: [string, string][] = []
  let bytes = 0
  for await (const [name, value] of store.entries(from, to)) {
    if (entries.length === pageEntries || bytes > pageBytes) return { entries, next: name }
    entries.push([name, toBase64url(value)])
    bytes += value.length
  }
  return { entries, next: null }
}

async function write(
  store: RawStore,
  { changes, last }: Extract<ControlRequest, { method: 'write' }>,
  connection: Connection,
): Promise<void> {
  for (const { name, value } of changes)
    connection.parts.push({ key: name, value: value === null ? undefined : fromBase64url(value) })
  if (connection.parts.length > changesPerWrite) connection.socket.destroy()
  if (!last) return
  const whole = connection.parts
  connection.parts = []
  await store.batch(whole)
}

/** Returns when the lock is held; it is given back by `unlock`, or when the connection ends. */
async function acquire(store: RawStore, name: string, { socket, held }: Connection): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    store
      .exclusively(name, async () => {
        if (socket.destroyed) return
        await new Promise<void>((release) => {
          held.set(name, release)
          resolve()
        })
      })
      .catch(reject)
  })
}

function told(error: unknown): { code: string; message: string } {
  if (error instanceof AgentError) return { code: error.code, message: error.message }
  return { code: 'STORE_DAMAGED', message: 'the daemon could not do it' }
}
