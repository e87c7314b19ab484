/** Listens for the coordinator's word that there is something new. It carries no content; the event feed is the truth. */
import { WebSocket } from 'ws'
import { toBase64url } from '#libs/canonical'
import { secureUrl, type Connection } from '#libs/client'
import { createRequestToken, requestScheme, routes } from '#libs/protocol'

/** A connection without a ping for this long is taken for dead. */
const silenceMilliseconds = 30_000
/** A coordinator, or a proxy before it, that does not answer this long is tried anew. */
const handshakeMilliseconds = 5_000
const firstRetryMilliseconds = 200
/** Short, since the feed is read more often than this while the coordinator is away. */
const lastRetryMilliseconds = 2_000

/** Keeps a connection open until the signal says stop, and calls `onWake` at each message and at each new connection. */
export function listenForWakeUps(connection: Connection, signal: AbortSignal, onWake: () => void): void {
  let retry = firstRetryMilliseconds
  void connect()

  async function connect(): Promise<void> {
    if (signal.aborted) return
    const url = new URL(routes.wake, secureUrl(connection.url))
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(url, {
      headers: { authorization: await upgradeToken(connection) },
      maxPayload: 4096,
      handshakeTimeout: handshakeMilliseconds,
    })
    let silence = setTimeout(() => {
      socket.terminate()
    }, silenceMilliseconds)
    const stop = () => {
      socket.close(1000)
    }
    signal.addEventListener('abort', stop, { once: true })
    socket.on('open', () => {
      retry = firstRetryMilliseconds
      onWake()
    })
    socket.on('ping', () => silence.refresh())
    socket.on('message', () => {
      silence = silence.refresh()
      onWake()
    })
    // Every failure ends in `close`, which tries again; `error` says nothing more.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(silence)
      signal.removeEventListener('abort', stop)
      if (signal.aborted) return
      setTimeout(() => void connect(), retry).unref()
      retry = Math.min(retry * 2, lastRetryMilliseconds)
    })
  }
}

async function upgradeToken(connection: Connection): Promise<string> {
  const claims = {
    aud: connection.origin,
    method: 'GET' as const,
    path: routes.wake,
    iat: connection.now(),
    jti: toBase64url(connection.randomBytes(16)),
    body: null,
    offset: null,
    length: null,
  }
  return `${requestScheme} ${await createRequestToken(claims, connection.key)}`
}
