/**
 * The database behind the ledger. A change is one SQL command, so it is one transaction on either database and costs one
 * round trip; everything else is read at the start, and ended runs on demand.
 */
import { Injectable } from '@nestjs/common'
import type { StatementType } from '#libs/canonical'
import type { RunState } from '#libs/protocol'
import { StartError } from '../errors.js'
import type { RunRecord } from '../runs/run-record.js'
import type { PrismaClient } from './generated/client.js'
import type {
  Change,
  StoredCosignature,
  StoredEvent,
  StoredInvitation,
  StoredRun,
  StoredStatement,
  StoredUpload,
  StoredWorker,
  UsedToken,
  WorkerState,
} from './rows.js'

/** Where the rows of a change go, and what happens to a row that is there already. */
const targets = {
  statements: { table: 'statement', known: null },
  runs: {
    table: 'run',
    known: `(id) DO UPDATE SET state = excluded.state, ended = excluded.ended, version = excluded.version,
      round = excluded.round, "deadlineAt" = excluded."deadlineAt", record = excluded.record`,
  },
  workers: {
    table: 'worker',
    known: '(thumbprint) DO UPDATE SET state = excluded.state, run = excluded.run',
  },
  events: { table: 'event', known: null },
  cosignatures: {
    table: 'cosignature',
    known: '(size, witness) DO UPDATE SET line = excluded.line, "recordedAt" = excluded."recordedAt"',
  },
  invitations: { table: 'invitation', known: '("secretDigest") DO UPDATE SET "usedBy" = excluded."usedBy"' },
  uploads: {
    table: 'upload',
    known: `(digest, party) DO UPDATE SET size = excluded.size, run = excluded.run,
      "startedAt" = excluded."startedAt", "storedAt" = excluded."storedAt"`,
  },
  tokens: { table: 'used_token', known: 'DO NOTHING' },
} as const satisfies Record<keyof Change, { readonly table: string; readonly known: string | null }>

const commands = new Map<string, string>()

/**
 * One command that inserts the rows of these lists. `jsonb_populate_recordset` takes names and types from the table, so rows
 * here and columns there cannot drift apart silently.
 */
function commitSql(lists: readonly (keyof Change)[]): string {
  const key = lists.join(' ')
  const known = commands.get(key)
  if (known !== undefined) return known
  const inserts = lists.map((list) => {
    const { table, known: conflict } = targets[list]
    const rows = `INSERT INTO ${table} SELECT r.* FROM jsonb_populate_recordset(null::${table}, $1::jsonb->'${list}') r`
    return conflict === null ? rows : `${rows} ON CONFLICT ${conflict}`
  })
  const last = inserts.pop() ?? 'SELECT 1'
  const named = inserts.map((insert, index) => `part${index} AS (${insert})`)
  const sql = named.length === 0 ? last : `WITH ${named.join(', ')} ${last}`
  commands.set(key, sql)
  return sql
}

const usageSql = `
  SELECT id, contract, computation, coalesce(record->'receipt'->>'outcome' = 'completed', false) AS completed
  FROM run WHERE jsonb_array_length(record->'spends') > 0`

/** What the server must know before it answers anything. */
export interface LedgerContents {
  readonly position: number
  readonly leaves: readonly string[]
  /** Statements of parties and contracts; those of runs are read when a run is. */
  readonly standing: readonly StoredStatement[]
  readonly runs: readonly StoredRun[]
  /** Every run with a Spend, ended ones too. */
  readonly usage: readonly {
    readonly id: string
    readonly contract: string
    readonly computation: string
    readonly completed: boolean
  }[]
  readonly workers: readonly StoredWorker[]
  readonly events: readonly StoredEvent[]
  readonly cosignatures: readonly StoredCosignature[]
  readonly invitations: readonly StoredInvitation[]
  readonly uploads: readonly StoredUpload[]
  readonly tokens: readonly UsedToken[]
}

/** How many of the newest events and cosignatures are held in memory. */
export const heldEvents = 20_000

const standingTypes = ['identity', 'contract', 'activation', 'manifest', 'revocation', 'withdrawal']

@Injectable()
export class LedgerStore {
  constructor(private readonly prisma: PrismaClient) {}

  /**
   * Binds the database to this log.
   * @throws StartError `DATABASE_OF_ANOTHER_LOG`.
   */
  async claim(log: {
    readonly origin: string
    readonly logKey: string
    readonly coordinatorKey: string
  }): Promise<void> {
    const known = await this.prisma.logIdentity.upsert({
      where: { id: 1 },
      create: { id: 1, ...log },
      update: {},
    })
    if (
      known.origin !== log.origin ||
      known.logKey !== log.logKey ||
      known.coordinatorKey !== log.coordinatorKey
    )
      throw new StartError(
        'DATABASE_OF_ANOTHER_LOG',
        `the database is of log ${known.origin} under key ${known.logKey}; this server was started as ${log.origin} under ${log.logKey}: give it the data folder and --origin it began with`,
      )
  }

  async commit(change: Change): Promise<void> {
    const lists = (Object.keys(targets) as (keyof Change)[]).filter((list) => change[list].length > 0)
    const rows = Object.fromEntries(lists.map((list) => [list, change[list]]))
    await this.prisma.$executeRawUnsafe(commitSql(lists), JSON.stringify(rows))
  }

  async load(now: number): Promise<LedgerContents> {
    const { prisma } = this
    await prisma.usedToken.deleteMany({ where: { expiresAt: { lt: new Date(now) } } })
    const last = await prisma.statement.aggregate({ _max: { position: true } })
    const leaves = await prisma.$queryRawUnsafe<{ leaf: string }[]>(
      'SELECT leaf FROM statement WHERE "leafIndex" IS NOT NULL ORDER BY "leafIndex"',
    )
    const standing = await prisma.statement.findMany({
      where: { type: { in: standingTypes } },
      orderBy: { position: 'asc' },
    })
    const runs = await prisma.run.findMany({ where: { ended: false } })
    const usage = await prisma.$queryRawUnsafe<LedgerContents['usage'][number][]>(usageSql)
    const workers = await prisma.worker.findMany({ where: { state: { not: 'ended' } } })
    const events = await prisma.event.findMany({ orderBy: { cursor: 'desc' }, take: heldEvents })
    const cosignatures = await prisma.cosignature.findMany({ orderBy: { size: 'desc' }, take: heldEvents })
    const invitations = await prisma.invitation.findMany({
      where: { usedBy: null, expiresAt: { gt: new Date(now) } },
    })
    const uploads = await prisma.upload.findMany()
    const tokens = await prisma.usedToken.findMany()
    return {
      position: last._max.position ?? 0,
      leaves: leaves.map((row) => row.leaf),
      standing: standing.map(statementOf),
      runs: runs.map(runOf),
      usage,
      workers: workers.map((row) => ({
        ...row,
        tee: row.tee as StoredWorker['tee'],
        state: row.state as WorkerState,
        registeredAt: row.registeredAt.toISOString(),
      })),
      events: events.reverse().map(eventOf),
      cosignatures: cosignatures.map((row) => ({ ...row, recordedAt: row.recordedAt.toISOString() })),
      invitations: invitations.map((row) => ({ ...row, expiresAt: row.expiresAt.toISOString() })),
      uploads: uploads.map((row) => ({
        ...row,
        size: Number(row.size),
        startedAt: row.startedAt.toISOString(),
        storedAt: row.storedAt?.toISOString() ?? null,
      })),
      tokens: tokens.map((row) => ({ jti: row.jti, expiresAt: row.expiresAt.toISOString() })),
    }
  }

  /** One statement by the digest of its JWS. */
  async statement(digest: string): Promise<StoredStatement | null> {
    const row = await this.prisma.statement.findUnique({ where: { digest } })
    return row === null ? null : statementOf(row)
  }

  /** A run that has ended, with its statements in order. */
  async run(
    id: string,
  ): Promise<{ readonly run: StoredRun; readonly statements: readonly StoredStatement[] } | null> {
    const run = await this.prisma.run.findUnique({ where: { id } })
    return run === null ? null : { run: runOf(run), statements: await this.statementsOfRun(id) }
  }

  async statementsOfRun(run: string): Promise<readonly StoredStatement[]> {
    const rows = await this.prisma.statement.findMany({ where: { run }, orderBy: { position: 'asc' } })
    return rows.map(statementOf)
  }

  async statementsBy(signer: string, type: StatementType): Promise<readonly StoredStatement[]> {
    const rows = await this.prisma.statement.findMany({
      where: { signer, type },
      orderBy: { position: 'asc' },
    })
    return rows.map(statementOf)
  }

  async runsOfContract(contract: string): Promise<readonly StoredRun[]> {
    const rows = await this.prisma.run.findMany({
      where: { contract },
      orderBy: { requestedAt: 'desc' },
      take: 1000,
    })
    return rows.map(runOf)
  }

  /** Events older than those held in memory. */
  async events(
    after: number,
    contracts: readonly string[],
    parties: readonly string[],
    take: number,
  ): Promise<readonly StoredEvent[]> {
    const rows = await this.prisma.event.findMany({
      where: {
        cursor: { gt: after },
        OR: [{ contract: { in: [...contracts] } }, { party: { in: [...parties] } }],
      },
      orderBy: { cursor: 'asc' },
      take,
    })
    return rows.map(eventOf)
  }

  async forgetTokens(before: number): Promise<void> {
    await this.prisma.usedToken.deleteMany({ where: { expiresAt: { lt: new Date(before) } } })
  }

  async forgetUpload(digest: string, party: string): Promise<void> {
    await this.prisma.upload.deleteMany({ where: { digest, party, storedAt: null } })
  }

  /** Whether the database answers. */
  async ping(): Promise<void> {
    await this.prisma.$queryRawUnsafe('SELECT 1')
  }
}

type StatementRow = Awaited<ReturnType<PrismaClient['statement']['findMany']>>[number]
type RunRow = Awaited<ReturnType<PrismaClient['run']['findMany']>>[number]
type EventRow = Awaited<ReturnType<PrismaClient['event']['findMany']>>[number]

function statementOf(row: StatementRow): StoredStatement {
  return { ...row, type: row.type as StatementType, recordedAt: row.recordedAt.toISOString() }
}

function runOf(row: RunRow): StoredRun {
  return {
    ...row,
    state: row.state as RunState,
    requestedAt: row.requestedAt.toISOString(),
    deadlineAt: row.deadlineAt?.toISOString() ?? null,
    record: row.record as unknown as RunRecord,
  }
}

function eventOf(row: EventRow): StoredEvent {
  return { ...row, kind: row.kind as StoredEvent['kind'], recordedAt: row.recordedAt.toISOString() }
}
