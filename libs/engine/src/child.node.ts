/**
 * The program inside the sandbox. Holds one database in memory and goes one way only: fresh, loaded, locked. It sees descriptors
 * and frames, nothing else; what it says about a failure is a code and names that it was given.
 */
import { closeSync } from 'node:fs'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { sendReply, serveRequests } from './child-end.node.js'
import { ChildFailure, failureOf } from './failure.js'
import { loadTables } from './load-tables.node.js'
import { openingSettings, shutDatabase } from './lockdown.node.js'
import type { Failure, Operation, Reply, Request } from './messages.js'
import { parseText } from './parse-text.node.js'
import { profileFile } from './profile-file.node.js'
import { runQuery } from './run-query.node.js'
import { trainModel } from './train-model.node.js'
import { convertFile, writeTable } from './write-parquet.node.js'

const firstDescriptor = 4

let state: 'closed' | 'fresh' | 'loading' | 'loaded' | 'locked' | 'broken' = 'closed'
let database: { connection: DuckDBConnection; threads: number; descriptors: number } | undefined
let loaded: readonly string[] = []

async function answer(request: Request): Promise<void> {
  try {
    send({ id: request.id, value: await perform(request, request.id) })
  } catch (thrown) {
    send({ id: request.id, failure: failureFor(request, thrown) })
  }
}

async function perform(operation: Operation, id: number): Promise<unknown> {
  if (operation.op === 'open') return open(operation.threads, operation.memoryBytes, operation.descriptors)
  if (database === undefined) throw new ChildFailure('STATE_INVALID')
  const { connection, threads } = database
  const report = (percent: number): void => {
    send({ id, percent })
  }
  switch (operation.op) {
    case 'parse':
      return parseText(connection, operation.sql, operation.maximumBytes)
    case 'load':
      require(state === 'fresh')
      // A load that fails leaves a child that has seen data and can do nothing more.
      state = 'loading'
      await loadTables(connection, operation.tables, threads)
      loaded = operation.tables.map(({ name }) => name)
      state = 'loaded'
      return null
    case 'lock':
      require(state === 'fresh' || state === 'loaded')
      await lock(connection)
      return null
    case 'query':
      require(state === 'locked')
      return runQuery(connection, operation.sql, operation.parameters, loaded, operation)
    case 'train':
      require(state === 'locked')
      return trainModel(connection, loaded, operation)
    case 'profile':
      require(state === 'fresh')
      return profileFile(connection, operation.fd, operation.format, operation.columns, operation.options)
    case 'convert': {
      require(state === 'fresh')
      const { fd, format, columns, options, groups } = operation
      return convertFile(connection, fd, format, columns, options, groups, report)
    }
    case 'write':
      require(state === 'fresh')
      await writeTable(connection, operation.table, operation.fd)
      return null
  }
}

async function open(threads: number, memoryBytes: number, descriptors: number): Promise<null> {
  require(state === 'closed')
  const instance = await DuckDBInstance.create(':memory:', openingSettings(threads, memoryBytes))
  const connection = await instance.connect()
  await connection.run(`SET TimeZone = 'UTC'`)
  // Division by zero gives NULL: JSON and Parquet readers do not agree on infinity.
  await connection.run('SET ieee_floating_point_ops = false')
  // The first parse takes milliseconds of set-up: take them while no data waits.
  await parseText(connection, 'SELECT 1', 1_000_000)
  database = { connection, threads, descriptors }
  state = 'fresh'
  return null
}

async function lock(connection: DuckDBConnection): Promise<void> {
  state = 'broken'
  for (let fd = firstDescriptor; fd < firstDescriptor + (database?.descriptors ?? 0); fd++) closeSync(fd)
  if (!(await shutDatabase(connection))) throw new ChildFailure('LOCK_FAILED')
  state = 'locked'
}

function require(allowed: boolean): void {
  if (!allowed) throw new ChildFailure('STATE_INVALID')
}

const otherwise = {
  ...{
    open: 'STATE_INVALID',
    parse: 'SYNTAX',
    load: 'INPUT_INVALID',
    lock: 'LOCK_FAILED',
    query: 'QUERY_FAILED',
    train: 'QUERY_FAILED',
  },
  ...{ profile: 'INPUT_INVALID', convert: 'INPUT_INVALID', write: 'INPUT_INVALID' },
} as const satisfies Record<Operation['op'], Failure['code']>

function failureFor({ op }: Operation, thrown: unknown): Failure {
  const { code, place, syntaxMessage } = failureOf(thrown, otherwise[op])
  // The parser's words quote the text; only a party's own text, parsed for itself, may be told them.
  if (op === 'parse' && syntaxMessage !== undefined) return { ...place, code, syntaxMessage }
  return (op === 'query' || op === 'train') && code === 'SYNTAX'
    ? { code: 'QUERY_FAILED' }
    : { ...place, code }
}

function send(reply: Reply): void {
  sendReply(reply)
}

serveRequests((request) => answer(request as Request))
