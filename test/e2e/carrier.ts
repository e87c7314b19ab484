/**
 * The way between everybody and the coordinator, in a test's hands: it may look at each message, hold it, send it twice, cut
 * it off, lose it or its answer. It forges nothing, as a network cannot; `HostileCoordinator` of the demo does that.
 */
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { unverifiedStatement } from '#libs/canonical'

/** A statement on its way to be recorded, as it calls itself. */
export interface Posted {
  readonly type: string
  readonly by: string
  readonly run: string | null
  readonly dataset: string | null
  readonly jws: string
}

export interface Message {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly posted: Posted | null
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Sends a message on; with `bytes` only so much of its body, and then nothing more. */
export type Send = (bytes?: number) => Promise<Answer>

/** What happens to a message. Null: whoever sent it hears nothing, and its connection ends. */
export type Habit = (message: Message, send: Send) => Promise<Answer | null>

export const honest: Habit = (_message, send) => send()

export class Carrier {
  habit: Habit = honest
  /** Whether wake-ups over WebSocket get through. */
  wakeUps = true
  /** Every statement that anyone sent, whether or not it was taken, in the order in which it came by. */
  readonly posted: Posted[] = []
  private readonly sockets = new Set<Socket>()

  private constructor(
    private readonly server: Server,
    private readonly target: { readonly host: string; readonly port: number },
  ) {}

  /** Listens on a free port of loopback in front of the coordinator at `url`. */
  static async before(url: string): Promise<Carrier> {
    const { hostname, port } = new URL(url)
    const server = createServer()
    const carrier = new Carrier(server, { host: hostname, port: Number(port) })
    server.on('request', (question, answer) => {
      // Whoever is cut off in the middle hears nothing; that is what this is for.
      carrier.carry(question, answer).catch(() => answer.destroy())
    })
    server.on('upgrade', (question: IncomingMessage, socket: Socket) => {
      carrier.carrySocket(question, socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return carrier
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** No wake-up gets through from now on, also on connections that stand. */
  loseWakeUps(): void {
    this.wakeUps = false
    for (const socket of this.sockets) socket.destroy()
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private async carry(question: IncomingMessage, answer: ServerResponse): Promise<void> {
    const gone = new AbortController()
    answer.on('close', () => {
      if (!answer.writableFinished) gone.abort()
    })
    const body = await bodyOf(question)
    const { method = 'GET', url: path = '/', headers } = question
    const message = { method, path, headers, body, posted: postedIn(method, path, body) }
    if (message.posted !== null) this.posted.push(message.posted)
    const told = await this.habit(message, (bytes) => this.send(message, gone.signal, bytes))
    if (told === null) {
      answer.destroy()
      return
    }
    answer.writeHead(told.status, told.headers)
    answer.end(told.body)
  }

  private async send({ method, path, headers, body }: Message, gone: AbortSignal, bytes?: number) {
    return await new Promise<Answer>((resolve, reject) => {
      const onward = request(
        { ...this.target, method, path, headers, signal: gone, agent: false },
        (truth) => {
          bodyOf(truth).then((whole) => {
            resolve({ status: truth.statusCode ?? 502, headers: truth.headers, body: whole })
          }, reject)
        },
      )
      onward.on('error', reject)
      if (bytes === undefined) onward.end(body)
      else onward.write(body.subarray(0, bytes), () => onward.destroy())
    })
  }

  private carrySocket(question: IncomingMessage, socket: Socket): void {
    if (!this.wakeUps) {
      socket.destroy()
      return
    }
    const onward = connect(this.target.port, this.target.host, () => {
      const { rawHeaders } = question
      const lines = rawHeaders.flatMap((name, at) =>
        at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1] ?? ''}`] : [],
      )
      onward.write(`GET ${question.url ?? '/'} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
      socket.pipe(onward).pipe(socket)
    })
    for (const [end, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.sockets.add(end)
      // Who waits at one end learns that the other is gone.
      end.on('close', () => {
        this.sockets.delete(end)
        other.destroy()
      })
      end.on('error', () => end.destroy())
    }
  }
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function postedIn(method: string, path: string, body: Buffer): Posted | null {
  if (method !== 'POST' || path !== '/v1/statements') return null
  const { statement } = JSON.parse(body.toString()) as { statement: string }
  const { payload } = unverifiedStatement(statement)
  const { type, by, run, dataset } = payload as unknown as {
    type: string
    by: string
    run?: string
    dataset?: string
  }
  return { type, by, run: run ?? null, dataset: dataset ?? null, jws: statement }
}
