/**
 * Appends with proof: how many statements a second the coordinator's ledger records, each acknowledged when it is durable and each
 * with its inclusion proof, from many callers at once. On the embedded database, and on a PostgreSQL that is started for this where
 * its programs are installed.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../apps/coordinator/src/config.js'
import { Ledger } from '../../apps/coordinator/src/ledger/ledger.js'
import { PublicLog } from '../../apps/coordinator/src/log/public-log.js'
import { startCoordinator } from '../../apps/coordinator/src/start-coordinator.js'
import { aHistory } from '#libs/testing'
import { verifyInclusion, leafHash } from '#libs/translog'
import { fromHex, utf8 } from '#libs/canonical'
import type { BenchRow } from './row.js'

const appends = 4000
const callers = 64

export async function benchLog(): Promise<readonly BenchRow[]> {
  const embedded = await measure(undefined)
  const rows = [row('embedded database', embedded, 500)]
  const postgres = await startPostgres()
  if (postgres === null)
    return [
      ...rows,
      {
        what: 'appends with proof, PostgreSQL',
        measured: 'not run',
        peer: 'initdb and postgres are not installed',
        ratio: '',
        aim: 'at least 2000/s',
        met: false,
      },
    ]
  try {
    return [...rows, row('PostgreSQL', await measure(postgres.url), 2000)]
  } finally {
    await postgres.stop()
  }
}

function row(database: string, perSecond: number, aim: number): BenchRow {
  return {
    what: `appends with proof, ${database}, ${callers} callers`,
    measured: `${perSecond.toFixed(0)}/s`,
    peer: `aim ${aim}/s`,
    ratio: (perSecond / aim).toFixed(2),
    aim: `at least ${aim}/s`,
    met: perSecond >= aim,
  }
}

async function measure(databaseUrl: string | undefined): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'sealroom-bench-log-'))
  const flags = {
    dataFolder: folder,
    port: '0',
    origin: 'log.bench.example/1',
    logLevel: 'error',
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  }
  const coordinator = await startCoordinator(loadConfig(flags, {}))
  try {
    return await appendMany(coordinator.app.get(Ledger), coordinator.app.get(PublicLog))
  } finally {
    await coordinator.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Records real statements of a made history under a run that nobody follows: what is measured is the record, not a run. */
async function appendMany(ledger: Ledger, log: PublicLog): Promise<number> {
  const { made } = await aHistory({ runs: Math.ceil(appends / 14) })
  const statements = made
    .filter(({ logged, type }) => logged && type !== 'identity' && type !== 'contract')
    .slice(0, appends)
  const names = { signer: 'a'.repeat(64), run: 'b'.repeat(64) }
  let next = 0
  const caller = async () => {
    for (let one = statements[next++]; one !== undefined; one = statements[next++]) {
      const { type, statement, names: of } = one
      const { id, digest, kid, jws } = statement
      const recorded = await ledger.write((draft) =>
        draft.record({
          statement: { id, digest, kid, jws },
          type,
          by: of.signer,
          contract: null,
          run: of.run,
          leaf: names,
        }),
      )
      prove(log, recorded.digest)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: callers }, caller))
  const seconds = (performance.now() - began) / 1000
  const [first] = statements
  if (first === undefined || log.size !== statements.length) throw new Error('not everything was recorded')
  const size = log.size
  const { index, proof } = log.inclusion(first.statement.digest, size)
  const [leaf = ''] = log.leavesBetween(index, index + 1)
  const { root } = await log.checkpoint(size)
  verifyInclusion({
    leafHash: leafHash(utf8(leaf)),
    index,
    size,
    root: fromHex(root),
    proof: proof.map(fromHex),
  })
  return statements.length / seconds
}

function prove(log: PublicLog, digest: string): void {
  log.inclusion(digest, log.size)
}

interface Postgres {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** A PostgreSQL of its own in a temporary folder, with its defaults: every commit is durable. Null where it is not installed. */
async function startPostgres(): Promise<Postgres | null> {
  const programs = postgresPrograms()
  if (programs === null) return null
  const folder = mkdtempSync(join(tmpdir(), 'sealroom-bench-postgres-'))
  const data = join(folder, 'data')
  // PostgreSQL refuses to run as root: then it runs as the user that its package made.
  const user = process.getuid?.() === 0 ? postgresUser() : null
  if (user !== null) chownSync(folder, user.uid, user.gid)
  const as = user ?? {}
  execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'bench', '-A', 'trust'], {
    stdio: 'ignore',
    ...as,
  })
  const port = await freePort()
  const words = ['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1']
  const server = spawn(join(programs, 'postgres'), words, { stdio: 'ignore', ...as })
  await untilListening(port)
  return {
    url: `postgresql://bench@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await stopped(server)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function postgresPrograms(): string | null {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return null
  const folders = readdirSync(root).map((version) => join(root, version, 'bin'))
  return (
    folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'))) ??
    null
  )
}

function postgresUser(): { readonly uid: number; readonly gid: number } {
  const idOf = (what: '-u' | '-g') => Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const reached = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => {
        resolve(false)
      })
    })
    if (reached) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('PostgreSQL did not start')
}

async function stopped(server: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGINT')
  await ended
}
