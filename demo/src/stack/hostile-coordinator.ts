/**
 * A coordinator that lies. It stands where the real one would and passes everything on, until it is told how to lie: then it
 * rewrites what it answers, to whomever. Agents and workers trust nothing that a coordinator says, so this is all it can do.
 */
import {
  createServer,
  request as forward,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { unverifiedTokenKey } from '#libs/protocol'

/** A question that somebody asked the coordinator. */
export interface Question {
  readonly method: string
  readonly path: string
  /** Thumbprint of the key that signed the request; null where it is not signed. */
  readonly asker: string | null
}

/** Rewrites an answer; what it returns is what the asker gets. */
export type Lie = (question: Question, answer: unknown) => unknown

export class HostileCoordinator {
  private lie: Lie | null = null
  private readonly standing = new Set<Lie>()
  private readonly sockets = new Set<Socket>()

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
  ) {}

  /** Listens on a free port of loopback in front of the coordinator at `url`. */
  static async before(url: string): Promise<HostileCoordinator> {
    const { hostname, port } = new URL(url)
    const server = createServer()
    const hostile = new HostileCoordinator(server, { host: hostname, port: Number(port) })
    server.on('request', (question, answer) => {
      hostile.pass(question, answer)
    })
    server.on('upgrade', (question: IncomingMessage, socket: Socket) => {
      hostile.passSocket(question, socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return hostile
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Lies from now on, in this way only; null for honesty. */
  tell(lie: Lie | null): void {
    this.lie = lie
  }

  /** Lies in this way beside whatever else it tells, until the function that comes back is called. */
  alsoTell(lie: Lie): () => void {
    this.standing.add(lie)
    return () => this.standing.delete(lie)
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private pass(question: IncomingMessage, answer: ServerResponse): void {
    const { method, url: path, headers } = question
    const onward = forward({ ...this.target, method, path, headers }, (truth) => {
      // A coordinator that dies in the middle of an answer leaves its asker without one.
      this.answer(question, truth, answer).catch(() => answer.destroy())
    })
    onward.on('error', () => answer.destroy())
    // Who asks and goes away is gone for the coordinator too.
    answer.on('close', () => {
      if (!answer.writableFinished) onward.destroy()
    })
    question.pipe(onward)
  }

  private async answer(
    question: IncomingMessage,
    truth: IncomingMessage,
    answer: ServerResponse,
  ): Promise<void> {
    const isJson = (truth.headers['content-type'] ?? '').includes('json')
    if ((this.lie === null && this.standing.size === 0) || !isJson) {
      answer.writeHead(truth.statusCode ?? 502, truth.headers)
      truth.on('error', () => answer.destroy())
      truth.pipe(answer)
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of truth as AsyncIterable<Buffer>) chunks.push(chunk)
    let told: unknown = JSON.parse(Buffer.concat(chunks).toString())
    for (const lie of [...this.standing, ...(this.lie === null ? [] : [this.lie])])
      told = await lie(questionOf(question), told)
    const body = Buffer.from(JSON.stringify(told))
    answer.writeHead(truth.statusCode ?? 502, { ...truth.headers, 'content-length': body.length })
    answer.end(body)
  }

  private passSocket(question: IncomingMessage, socket: Socket): void {
    const onward = connect(this.target.port, this.target.host, () => {
      const lines = question.rawHeaders.flatMap((name, index, all) =>
        index % 2 === 0 ? [`${name}: ${all[index + 1] ?? ''}`] : [],
      )
      onward.write(
        `${question.method ?? 'GET'} ${question.url ?? '/'} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`,
      )
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

function questionOf(question: IncomingMessage): Question {
  const [, token] = (question.headers.authorization ?? '').split(' ')
  return {
    method: question.method ?? 'GET',
    path: question.url ?? '/',
    asker: token === undefined ? null : unverifiedTokenKey(token),
  }
}
