/**
 * The event feed: what changed, in order, for those whom it concerns. Says where to read, never what; the WebSocket only says
 * that the feed has grown.
 */
import { Injectable } from '@nestjs/common'
import type { Thumbprint } from '#libs/canonical'
import { eventsPage, type Event } from '#libs/protocol'
import { ContractBook } from '../contracts/contract-book.js'
import { RunBook } from '../runs/run-book.js'
import { heldEvents, LedgerStore } from '../storage/ledger-store.js'
import type { StoredEvent } from '../storage/rows.js'

type Listener = (
  event: StoredEvent,
  concerns: (party: Thumbprint) => boolean,
  moment: Event['moment'],
) => void
type ReaderListener = (party: Thumbprint) => void

@Injectable()
export class EventFeed {
  private readonly recent: StoredEvent[] = []
  private readonly listeners = new Set<Listener>()
  private readonly readerListeners = new Set<ReaderListener>()
  private last = 0

  constructor(
    private readonly contracts: ContractBook,
    private readonly runs: RunBook,
    private readonly store: LedgerStore,
  ) {}

  get lastCursor(): number {
    return this.last
  }

  restore(events: readonly StoredEvent[]): void {
    this.recent.push(...events)
    this.last = events.at(-1)?.cursor ?? 0
  }

  apply(event: StoredEvent): void {
    this.recent.push(event)
    this.last = event.cursor
    if (this.recent.length > heldEvents * 2) this.recent.splice(0, heldEvents)
    for (const listener of this.listeners)
      listener(event, (party) => this.concerns(event, party), this.momentOf(event.run))
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Tells who reads the feed, before what is read is fixed: whatever comes after that is news to the reader. */
  listenToReaders(listener: ReaderListener): void {
    this.readerListeners.add(listener)
  }

  /** Events after a cursor that concern a party, oldest first; `next` is where to go on from. */
  async after(
    cursor: number,
    party: Thumbprint,
  ): Promise<{ readonly events: readonly Event[]; readonly next: number }> {
    for (const listener of this.readerListeners) listener(party)
    const oldest = this.recent[0]?.cursor ?? this.last + 1
    const last = this.last
    const found = cursor + 1 < oldest ? await this.fromStore(cursor, party) : this.fromMemory(cursor, party)
    const page = found.slice(0, eventsPage)
    const next = found.length > eventsPage ? (page.at(-1)?.cursor ?? last) : Math.max(cursor, last)
    return {
      events: page.map(({ cursor, kind, contract, run, size }) => {
        return { cursor, kind, contract, run, size, moment: this.momentOf(run) }
      }),
      next,
    }
  }

  private momentOf(id: string | null): Event['moment'] {
    const live = id === null ? undefined : this.runs.findLive(id)
    return live === undefined ? null : { state: live.run.state, round: live.run.round }
  }

  private fromMemory(cursor: number, party: Thumbprint): readonly StoredEvent[] {
    const found: StoredEvent[] = []
    for (const event of this.tail(cursor)) {
      if (this.concerns(event, party)) found.push(event)
      if (found.length > eventsPage) break
    }
    return found
  }

  // Cursors have no gaps, so the place of one is known.
  private tail(cursor: number): readonly StoredEvent[] {
    const first = this.recent[0]?.cursor ?? 0
    return this.recent.slice(Math.max(0, cursor + 1 - first))
  }

  private async fromStore(cursor: number, party: Thumbprint): Promise<readonly StoredEvent[]> {
    const contracts = this.contracts.contractsOf(party).map((entry) => entry.contract.id)
    return await this.store.events(cursor, contracts, [...this.contracts.companionsOf(party)], eventsPage + 1)
  }

  private concerns(event: StoredEvent, party: Thumbprint): boolean {
    if (event.contract !== null) return this.contracts.isPartyOf(party, event.contract)
    return event.party !== null && this.contracts.companionsOf(party).has(event.party)
  }
}
