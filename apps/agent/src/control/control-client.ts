/** A command's end of the control socket. */
import { createConnection, type Socket } from 'node:net'
import type { z } from 'zod'
import { fromBase64url, toBase64url } from '#libs/canonical'
import { AgentError, type AgentErrorCode } from '../errors.js'
import type { Change, RawStore } from '../store/raw-store.js'
import {
  answerSchema,
  changesPerLine,
  getSchema,
  helloSchema,
  listSchema,
  type ControlRequest,
  type Hello,
} from './control-messages.js'
import { parseLine, readLines, writeLine } from './json-lines.js'
import { socketPath } from './socket-path.js'

type Asked = ControlRequest extends infer Request
  ? Request extends ControlRequest
    ? Omit<Request, 'id'>
    : never
  : never

/** The daemon, as a command sees it; as a store it is the daemon's own. */
export class ControlClient implements RawStore {
  private next = 1
  private writing: Promise<unknown> = Promise.resolve()
  private readonly waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >()

  private constructor(private readonly socket: Socket) {
    readLines(socket, (line) => {
      this.settle(line)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      for (const { reject } of this.waiting.values())
        reject(new AgentError('STORE_IN_USE', 'the daemon ended while it was asked: try again'))
      this.waiting.clear()
    })
  }

  /** Connects to the daemon of a home; null where none listens. */
  static async connect(path: string): Promise<ControlClient | null> {
    const socket = await new Promise<Socket | null>((resolve) => {
      const trying = createConnection(socketPath(path))
      trying.once('connect', () => {
        resolve(trying)
      })
      trying.once('error', () => {
        resolve(null)
      })
    })
    return socket === null ? null : new ControlClient(socket)
  }

  async hello(): Promise<Hello> {
    return await this.ask(helloSchema, { method: 'hello' })
  }

  /** Tells the daemon to look again, to read its keys anew, or to stop. */
  async tell(method: 'nudge' | 'reload' | 'stop'): Promise<void> {
    await this.send({ method })
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const { value } = await this.ask(getSchema, { method: 'get', name })
    return value === null ? undefined : fromBase64url(value)
  }

  async *entries(from: string, to: string): AsyncIterable<readonly [string, Uint8Array]> {
    for (let begin: string | null = from; begin !== null;) {
      const page: z.infer<typeof listSchema> = await this.ask(listSchema, { method: 'list', from: begin, to })
      for (const [name, value] of page.entries) yield [name, fromBase64url(value)]
      begin = page.next
    }
  }

  async batch(changes: readonly Change[]): Promise<void> {
    // Parts of one write on one connection must not mix with those of another.
    const turn = this.writing.then(async () => {
      for (let at = 0; at === 0 || at < changes.length; at += changesPerLine)
        await this.send({
          method: 'write',
          changes: changes.slice(at, at + changesPerLine).map(({ key, value }) => ({
            name: key,
            value: value === undefined ? null : toBase64url(value),
          })),
          last: at + changesPerLine >= changes.length,
        })
    })
    this.writing = turn.catch(() => undefined)
    await turn
  }

  async exclusively<T>(name: string, action: () => Promise<T>): Promise<T> {
    await this.send({ method: 'lock', name })
    try {
      return await action()
    } finally {
      await this.send({ method: 'unlock', name })
    }
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.socket.destroyed) {
        resolve()
        return
      }
      this.socket.once('close', () => {
        resolve()
      })
      this.socket.destroy()
    })
  }

  private async ask<T>(schema: z.ZodType<T>, request: Asked): Promise<T> {
    const answer = schema.safeParse(await this.send(request))
    if (!answer.success)
      throw new AgentError('STORE_IN_USE', 'the daemon is of another version: restart it with this one')
    return answer.data
  }

  private async send(request: Asked): Promise<unknown> {
    if (this.socket.destroyed) throw new AgentError('STORE_IN_USE', 'the daemon has ended: try again')
    const id = this.next++
    return await new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      writeLine(this.socket, { id, ...request })
    })
  }

  private settle(line: string): void {
    const answer = answerSchema.safeParse(parseLine(line))
    if (!answer.success) {
      this.socket.destroy()
      return
    }
    const { id, result, error } = answer.data
    const asker = this.waiting.get(id)
    this.waiting.delete(id)
    if (error === undefined) asker?.resolve(result)
    else asker?.reject(new AgentError(error.code as AgentErrorCode, error.message))
  }
}
