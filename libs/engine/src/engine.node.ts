/**
 * An engine: one database in one sandboxed child, for one use. Story: start (warm, has seen no data), load, lock, query, close.
 * Guards: what a party's file or a query does inside the child stays there; what comes out is a table within caps or a code.
 * Does not judge queries; `#libs/query` does, before anything reaches an engine.
 */
import type { TrainingPlan } from '#libs/training'
import { ChildLink } from './child-link.node.js'
import { engineLanguage } from './engine-language.js'
import {
  profileDefaults,
  sandboxLimits,
  withDefaults,
  type ConvertGroup,
  type Descriptor,
  type EngineLimits,
  type EngineOptions,
  type QueryCaps,
} from './engine-options.node.js'
import { EngineError } from './errors.js'
import type { ChildTable, Operation } from './messages.js'
import type { FileFormat, ProfileOptions, ProfileReport } from './profile-report.js'
import { findProgramFiles } from './program-files.node.js'
import { readTree } from './reply-tree.js'
import { count, fits, nothing, readProfile, readTable } from './reply-values.js'
import { detectSandbox, firstDescriptor, spawnSandboxed, type SandboxMode } from './sandbox.node.js'
import { isInt64, requireTable, requireText } from './sound-request.js'
import type { ColumnRules, LoadTable, Parameter, Table } from './tables.js'
import { createMemoryFile, defaultMemoryDirectory, type MemoryFile } from './unlinked-file.node.js'

const grace = 2000
const parseMilliseconds = 10_000
const maximumTreeBytes = 16_000_000

/**
 * Starts a child that has seen no data and waits until its database is ready, 0.2 to 0.3 s.
 * @throws EngineError `SANDBOX_UNAVAILABLE`, `MEMORY_FILE_FAILED`, `TIMED_OUT`, `CHILD_DIED`.
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const descriptors = options.descriptors ?? []
  const limits = withDefaults(
    options.limits ?? {},
    descriptors.some(({ access }) => access === 'write'),
  )
  const mode = options.mode ?? (await detectSandbox()).mode
  const files = findProgramFiles()
  const inputs: MemoryFile[] = []
  try {
    for (let i = 0; i < (options.inputs ?? 0); i++)
      inputs.push(createMemoryFile(options.memoryDirectory ?? defaultMemoryDirectory))
    const handed = [...descriptors.map(({ fd }) => fd), ...inputs.map(({ readFd }) => readFd)]
    const child = await spawnSandboxed(files, mode, sandboxLimits(limits, handed.length), handed)
    const engine = new Engine(
      new ChildLink(child, engineLanguage, limits.replyBytes),
      mode,
      limits,
      descriptors,
      inputs,
    )
    await engine.open()
    return engine
  } catch (cause) {
    for (const file of inputs) file.discard()
    throw cause
  }
}

/** Starts an engine, uses it and closes it, whatever happens. */
export async function withEngine<T>(options: EngineOptions, use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await startEngine(options)
  try {
    return await use(engine)
  } finally {
    await engine.close()
  }
}

/** One engine. Every method throws {@link EngineError}; after `CHILD_DIED` or a hard `TIMED_OUT` every further call does. */
export class Engine {
  /** What confines the child. */
  readonly mode: SandboxMode
  /** The files in memory that the child was given at its start. */
  readonly inputs: readonly MemoryFile[]
  readonly #link: ChildLink<Operation, EngineError>
  readonly #limits: EngineLimits
  readonly #childNumbers: ReadonlyMap<number, number>
  readonly #descriptors: number

  /** Made by {@link startEngine}. */
  constructor(
    link: ChildLink<Operation, EngineError>,
    mode: SandboxMode,
    limits: EngineLimits,
    descriptors: readonly Descriptor[],
    inputs: readonly MemoryFile[],
  ) {
    this.#link = link
    this.mode = mode
    this.inputs = inputs
    this.#limits = limits
    this.#descriptors = descriptors.length + inputs.length
    const first = firstDescriptor + descriptors.length
    this.#childNumbers = new Map([
      ...descriptors.map(({ fd }, index) => [fd, firstDescriptor + index] as const),
      ...inputs.flatMap(({ fd, readFd }, index) => [
        [fd, first + index] as const,
        [readFd, first + index] as const,
      ]),
    ])
  }

  /** Opens the database; {@link startEngine} has done it. */
  async open(): Promise<void> {
    const { threads, memoryBytes, startMilliseconds } = this.#limits
    const operation = { op: 'open', threads, memoryBytes, descriptors: this.#descriptors } as const
    await this.#link.request(operation, { timeoutMilliseconds: startMilliseconds, read: nothing })
  }

  /**
   * The parser's tree of a query text, as DuckDB's `json_serialize_sql` gives it: `{ error: false, statements: […] }`. The text is
   * never run. Any number of SELECTs is taken; how many there may be is the caller's to check.
   * @throws EngineError `SYNTAX` with position and the parser's words, `NOT_A_SELECT`, `QUERY_TOO_LARGE`.
   */
  async parse(sql: string): Promise<unknown> {
    requireText(sql)
    return this.#link.request(
      { op: 'parse', sql, maximumBytes: maximumTreeBytes },
      { timeoutMilliseconds: parseMilliseconds, read: readTree },
    )
  }

  /**
   * Loads tables, once, and checks them. Seals the memory files used. A failure ends the use of this engine.
   * @throws EngineError `INPUT_INVALID`, `SCHEMA_MISMATCH`, `BOUNDS_VIOLATED`, `VALUE_MISSING`, `UNIT_MISSING` with table, owner and
   * column; `OUT_OF_MEMORY`, `STATE_INVALID`, `REQUEST_INVALID`.
   */
  async load(tables: readonly LoadTable[]): Promise<void> {
    const childTables = tables.map((table) => this.#childTable(table))
    const used = new Set(
      tables.flatMap(({ parts }) => parts.flatMap(({ segments }) => segments.map(({ fd }) => fd))),
    )
    for (const file of this.inputs) if (used.has(file.fd) || used.has(file.readFd)) file.seal()
    await this.#work({ op: 'load', tables: childTables })
  }

  /**
   * Shuts the database and closes the child's inputs: no file, no setting after it. Tries that it holds.
   * @throws EngineError `LOCK_FAILED`, `STATE_INVALID`.
   */
  async lock(): Promise<void> {
    await this.#link.request({ op: 'lock' }, { timeoutMilliseconds: parseMilliseconds, read: nothing })
  }

  /**
   * Runs one generated SELECT on a locked engine. Parameters are bound, never put into text.
   * @throws EngineError `QUERY_FAILED`, `QUERY_REFUSED`, `OUT_OF_MEMORY`, `TIMED_OUT`, `RESULT_TOO_LARGE`, `RESULT_TYPE_UNSUPPORTED`,
   * `STATE_INVALID`, `REQUEST_INVALID`.
   */
  async query(sql: string, parameters: Readonly<Record<string, Parameter>>, caps: QueryCaps): Promise<Table> {
    requireText(sql)
    for (const [name, { type, value }] of Object.entries(parameters))
      if (!fits(type, value) || !isInt64(type, value))
        throw new EngineError('REQUEST_INVALID', `parameter ${name} is not of type ${type}`)
    const { maxRows, timeoutMilliseconds, maxBytes = 64_000_000 } = caps
    return this.#link.request(
      { op: 'query', sql, parameters, maxRows, maxBytes, timeoutMilliseconds },
      { timeoutMilliseconds: timeoutMilliseconds + grace, read: (value) => readTable(value, maxRows) },
    )
  }

  /**
   * Trains a model on the rows of one generated SELECT, on a locked engine: one column per column of the plan, then target, part and
   * classes of units. The answer is the child's report, which the caller reads as the bytes of a stranger.
   * @throws EngineError as {@link Engine.query} does.
   */
  async train(
    sql: { readonly rows: string; readonly repeated: string },
    plan: TrainingPlan,
    caps: Omit<QueryCaps, 'maxBytes'>,
  ): Promise<unknown> {
    requireText(sql.rows)
    requireText(sql.repeated)
    return this.#link.request(
      { op: 'train', rowsSql: sql.rows, repeatedSql: sql.repeated, plan, ...caps },
      { timeoutMilliseconds: caps.timeoutMilliseconds + grace, read: (value) => value },
    )
  }

  /**
   * Profiles a file of the data owner's own, on its own premises; the report shows values. A file that cannot be read is no error
   * but a finding.
   * @throws EngineError `OUT_OF_MEMORY`, `STATE_INVALID`, `REQUEST_INVALID`.
   */
  async profile(
    fd: number,
    format: FileFormat,
    columns: ColumnRules,
    options: ProfileOptions = {},
  ): Promise<ProfileReport> {
    return this.#link.request(
      { op: 'profile', fd: this.#childNumber(fd), format, columns, options: profileDefaults(options) },
      { timeoutMilliseconds: this.#limits.workMilliseconds, read: readProfile },
    )
  }

  /** {@link Engine.profile} of a CSV file. An empty field is a missing value. */
  profileCsv(fd: number, columns: ColumnRules, options: ProfileOptions = {}): Promise<ProfileReport> {
    return this.profile(fd, 'csv', columns, options)
  }

  /** {@link Engine.profile} of a Parquet file. */
  profileParquet(fd: number, columns: ColumnRules, options: ProfileOptions = {}): Promise<ProfileReport> {
    return this.profile(fd, 'parquet', columns, options)
  }

  /**
   * Writes a file as typed Parquet (zstd), one file per column group, rows in the file's own order. Answers the number of rows.
   * @throws EngineError `INPUT_INVALID` for the first value or row that breaks a rule (profile tells which), `SCHEMA_MISMATCH`,
   * `OUT_OF_MEMORY`, `STATE_INVALID`, `REQUEST_INVALID`.
   */
  async convertToParquet(
    inputFd: number,
    format: FileFormat,
    columns: ColumnRules,
    groups: readonly ConvertGroup[],
    options: ProfileOptions & { readonly onProgress?: (percent: number) => void } = {},
  ): Promise<number> {
    const { onProgress, ...rest } = options
    const childGroups = groups.map((group) => ({
      columns: group.columns,
      fd: this.#childNumber(group.outputFd),
    }))
    return this.#link.request(
      {
        op: 'convert',
        fd: this.#childNumber(inputFd),
        format,
        columns,
        options: profileDefaults(rest),
        groups: childGroups,
      },
      { timeoutMilliseconds: this.#limits.workMilliseconds, read: count, onProgress },
    )
  }

  /**
   * Writes a table as typed Parquet (zstd).
   * @throws EngineError `INPUT_INVALID`, `OUT_OF_MEMORY`, `STATE_INVALID`, `REQUEST_INVALID`.
   */
  async tableToParquet(table: Table, outputFd: number): Promise<void> {
    try {
      readTable(table, Number.MAX_SAFE_INTEGER)
    } catch (cause) {
      throw new EngineError(
        'REQUEST_INVALID',
        'the table does not have the values that its types say',
        {},
        { cause },
      )
    }
    await this.#work({ op: 'write', table, fd: this.#childNumber(outputFd) })
  }

  /** Ends the child and gives the memory of its inputs back. */
  async close(): Promise<void> {
    this.kill()
    await this.#link.gone
  }

  /** Ends the child at once, without waiting. */
  kill(): void {
    this.#link.end('CHILD_DIED', 'the engine was closed')
    for (const file of this.inputs) file.discard()
  }

  async #work(operation: Operation): Promise<void> {
    await this.#link.request(operation, { timeoutMilliseconds: this.#limits.workMilliseconds, read: nothing })
  }

  #childTable(table: LoadTable): ChildTable {
    requireTable(table)
    return {
      ...{ name: table.name, columns: table.columns, unit: table.unit },
      parts: table.parts.map(({ owner, segments }) => ({
        owner,
        segments: segments.map(({ fd, columns }) => ({ fd: this.#childNumber(fd), columns })),
      })),
    }
  }

  #childNumber(fd: number): number {
    const number = this.#childNumbers.get(fd)
    if (number === undefined)
      throw new EngineError('REQUEST_INVALID', `descriptor ${fd} was not handed to this engine at its start`)
    return number
  }
}
