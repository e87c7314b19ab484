/**
 * Wakes daemons: a WebSocket that says the feed has grown to a cursor, and nothing else. Whoever was told is told again only
 * after reading the feed: more words would say no more. Nor is anyone woken for a statement that leaves its run where it stood; the
 * feed holds it all the same. Who may connect is decided at the upgrade (wake-adapter.ts); what a client sends is ignored.
 */
import { Injectable } from '@nestjs/common'
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets'
import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import type { Thumbprint } from '#libs/canonical'
import { routes, type Event } from '#libs/protocol'
import type { StoredEvent } from '../storage/rows.js'
import { EventFeed } from './event-feed.js'

export abstract class WakeSettings {
  abstract readonly pingSeconds: number
}

/** What waits to be sent to one client; a client that reads slower is cut off and asks the feed when it is back. */
const maximumBufferedBytes = 64 * 1024

/** Sockets of one party at one time. */
const maximumPerParty = 20

/** Set by the upgrade check. */
export const wakeParty = Symbol('party')

interface Connected {
  readonly party: Thumbprint
  /** whether the last ping was answered */
  answered: boolean
  /** whether it was woken since its party last read the feed */
  told: boolean
}

@Injectable()
@WebSocketGateway({ path: routes.wake })
export class WakeGateway implements OnGatewayConnection<WebSocket> {
  private readonly sockets = new Map<WebSocket, Connected>()
  /** where each live run stood when it was last told of */
  private readonly standing = new Map<string, string>()
  private readonly pinging: NodeJS.Timeout

  constructor(
    private readonly feed: EventFeed,
    settings: WakeSettings,
  ) {
    feed.listen((event, concerns, moment) => {
      if (this.awaited(event, moment)) this.wake(event.cursor, concerns)
    })
    feed.listenToReaders((party) => {
      for (const state of this.sockets.values()) if (state.party === party) state.told = false
    })
    this.pinging = setInterval(() => {
      this.ping()
    }, settings.pingSeconds * 1000)
    this.pinging.unref()
  }

  handleConnection(socket: WebSocket, request: IncomingMessage & { [wakeParty]?: Thumbprint }): void {
    const party = request[wakeParty]
    if (party === undefined || this.countOf(party) >= maximumPerParty) {
      socket.close(1013, 'too many connections')
      return
    }
    this.sockets.set(socket, { party, answered: true, told: false })
    socket.on('pong', () => {
      const state = this.sockets.get(socket)
      if (state !== undefined) state.answered = true
    })
    socket.on('close', () => {
      this.sockets.delete(socket)
    })
    socket.on('error', () => {
      socket.terminate()
    })
    // What came while nobody was connected must not wait for the next event.
    this.send(socket, this.feed.lastCursor)
  }

  /** Says goodbye to everyone: going away (RFC 6455 §7.4.1). */
  closeAll(): void {
    clearInterval(this.pinging)
    for (const socket of this.sockets.keys()) socket.close(1001, 'the server is stopping')
  }

  // A demand for cosignatures, and a checkpoint that somebody waits for, move no run and are news all the same.
  private awaited({ kind, run }: StoredEvent, moment: Event['moment']): boolean {
    if (kind !== 'run' || run === null) return true
    const now = moment === null ? undefined : `${moment.state}/${moment.round}`
    const moved = now === undefined || this.standing.get(run) !== now
    if (now === undefined) this.standing.delete(run)
    else this.standing.set(run, now)
    return moved
  }

  private wake(cursor: number, concerns: (party: Thumbprint) => boolean): void {
    const decided = new Map<Thumbprint, boolean>()
    for (const [socket, state] of this.sockets) {
      if (state.told) continue
      const own = decided.get(state.party) ?? concerns(state.party)
      decided.set(state.party, own)
      if (!own) continue
      state.told = true
      this.send(socket, cursor)
    }
  }

  private send(socket: WebSocket, cursor: number): void {
    if (socket.readyState !== socket.OPEN) return
    if (socket.bufferedAmount > maximumBufferedBytes) socket.terminate()
    else socket.send(`{"cursor":${cursor}}`)
  }

  private ping(): void {
    for (const [socket, state] of this.sockets) {
      if (!state.answered) socket.terminate()
      else {
        state.answered = false
        socket.ping()
      }
    }
  }

  private countOf(party: Thumbprint): number {
    let count = 0
    for (const state of this.sockets.values()) if (state.party === party) count++
    return count
  }
}
