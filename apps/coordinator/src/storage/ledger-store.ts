/**
 * The database behind the ledger. A group of changes is one SQL command, so it is one transaction on either database and costs
 * one round trip; everything else is read at the start, and ended runs on demand.
 */
import { Injectable } from '@nestjs/common'
import type { StatementType } from '#libs/canonical'
import type { RunState } from '#libs/protocol'
import { StartError } from '../errors.js'
import type { RunRecord } from '../runs/run-record.js'
import type { PrismaClient } from './generated/client.js'
import { mergeChanges } from './merge-changes.js'
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

/** How many of the newest events and cosignatures are held in memory. */
export const heldEvents = 20_000

const rowsOf = (query: string, order: string) =>
  `(SELECT coalesce(json_agg(r ORDER BY ${order}), '[]') FROM (${query}) r)`

/** Everything but the leaves in one answer: at a start each query costs more than what it reads. `$1` is now. */
const loadSql = `SELECT json_build_object(
  'position', (SELECT coalesce(max(position), 0) FROM statement),
  'standing', ${rowsOf(
    `SELECT * FROM statement WHERE type IN ('identity', 'contract', 'activation', 'manifest', 'revocation', 'withdrawal')`,
    'r.position',
  )},
  'runs', ${rowsOf('SELECT * FROM run WHERE NOT ended', 'r."requestedAt"')},
  'ofRuns', ${rowsOf('SELECT * FROM statement WHERE run IN (SELECT id FROM run WHERE NOT ended)', 'r.position')},
  'usage', ${rowsOf(
    `SELECT id, contract, computation, coalesce(record->'receipt'->>'outcome' = 'completed', false) AS completed
     FROM run WHERE jsonb_array_length(record->'spends') > 0`,
    'r.id',
  )},
  'workers', ${rowsOf(`SELECT * FROM worker WHERE state <> 'ended'`, 'r.thumbprint')},
  'events', ${rowsOf(`SELECT * FROM event ORDER BY cursor DESC LIMIT ${heldEvents}`, 'r.cursor')},
  'cosignatures', ${rowsOf(`SELECT * FROM cosignature ORDER BY size DESC LIMIT ${heldEvents}`, 'r.size')},
  'invitations', ${rowsOf(`SELECT * FROM invitation WHERE "usedBy" IS NULL AND "expiresAt" > $1::timestamptz`, 'r."secretDigest"')},
  'uploads', ${rowsOf('SELECT * FROM upload', 'r.digest')},
  'tokens', ${rowsOf('SELECT * FROM used_token WHERE "expiresAt" > $1::timestamptz', 'r.jti')}
)::text AS contents`

/** Leaves in one answer. */
const leafPage = 50_000

const leavesSql = `SELECT digest, leaf FROM statement WHERE "leafIndex" >= $1::int ORDER BY "leafIndex" LIMIT ${leafPage}`

/** What the server must know before it answers anything. */
export interface LedgerContents {
  readonly position: number
  /** Every leaf in order, with the digest that it commits to. */
  readonly leaves: readonly { readonly digest: string; readonly leaf: string }[]
  /** Statements of parties and contracts; those of runs are read when a run is. */
  readonly standing: readonly StoredStatement[]
  readonly runs: readonly StoredRun[]
  /** Statements of the live runs, in order. */
  readonly ofRuns: readonly StoredStatement[]
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
    await this.prisma.$executeRawUnsafe(
      'INSERT INTO log_identity (id, origin, "logKey", "coordinatorKey") VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING',
      log.origin,
      log.logKey,
      log.coordinatorKey,
    )
    const [known] = await this.prisma.$queryRawUnsafe<(typeof log)[]>('SELECT * FROM log_identity')
    if (
      known?.origin !== log.origin ||
      known.logKey !== log.logKey ||
      known.coordinatorKey !== log.coordinatorKey
    )
      throw new StartError(
        'DATABASE_OF_ANOTHER_LOG',
        `the database is of log ${known?.origin ?? ''} under key ${known?.logKey ?? ''}; this server was started as ${log.origin} under ${log.logKey}: give it the data folder and --origin it began with`,
      )
  }

  /** Keeps changes that follow each other, all or none. */
  async commit(changes: readonly Change[]): Promise<void> {
    const change = mergeChanges(changes)
    const lists = (Object.keys(targets) as (keyof Change)[]).filter((list) => change[list].length > 0)
    if (lists.length === 0) return
    const rows = Object.fromEntries(lists.map((list) => [list, change[list]]))
    await this.prisma.$executeRawUnsafe(commitSql(lists), JSON.stringify(rows))
  }

  async load(now: number): Promise<LedgerContents> {
    const [row] = await this.prisma.$queryRawUnsafe<{ contents: string }[]>(
      loadSql,
      new Date(now).toISOString(),
    )
    const contents = JSON.parse(row?.contents ?? '{}', withOurTimes) as Omit<LedgerContents, 'leaves'>
    const leaves: { digest: string; leaf: string }[] = []
    for (;;) {
      const page = await this.prisma.$queryRawUnsafe<{ digest: string; leaf: string }[]>(
        leavesSql,
        leaves.length,
      )
      leaves.push(...page)
      if (page.length < leafPage) return { ...contents, leaves }
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

  /** Every cosignature of one checkpoint. */
  async cosignaturesAt(size: number): Promise<readonly StoredCosignature[]> {
    return await this.prisma.$queryRawUnsafe<StoredCosignature[]>(
      'SELECT size, witness, line FROM cosignature WHERE size = $1::int ORDER BY witness',
      size,
    )
  }

  /** Every cosignature of the next `sizes` checkpoints of more than `after` leaves that have one, by size. */
  async cosignaturesAfter(after: number, sizes: number): Promise<readonly StoredCosignature[]> {
    return await this.prisma.$queryRawUnsafe<StoredCosignature[]>(
      `SELECT size, witness, line FROM cosignature WHERE size IN
         (SELECT DISTINCT size FROM cosignature WHERE size > $1::int ORDER BY size LIMIT $2::int)
       ORDER BY size, witness`,
      after,
      sizes,
    )
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

/** The columns that hold times; the database writes them in another spelling of ISO 8601 than statements do. */
const timeColumns: readonly string[] = [
  'recordedAt',
  'requestedAt',
  'deadlineAt',
  'registeredAt',
  'expiresAt',
  'startedAt',
  'storedAt',
]

function withOurTimes(name: string, value: unknown): unknown {
  return timeColumns.includes(name) && typeof value === 'string' ? new Date(value).toISOString() : value
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
