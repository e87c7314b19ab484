/** What parent and child say to each other. Descriptor numbers here are the child's. */
import type { EngineErrorCode, ErrorPlace } from './errors.js'
import type { TrainingPlan } from '#libs/training'
import type { FileFormat, ProfileOptions } from './profile-report.js'
import type { ColumnRules, ColumnType, Parameter, Table } from './tables.js'

/** A segment as the child sees it. */
export interface ChildSegment {
  readonly fd: number
  readonly columns: readonly string[]
}

/** A table as the child sees it. */
export interface ChildTable {
  readonly name: string
  readonly columns: ColumnRules
  readonly unit: string
  readonly parts: readonly { readonly owner: string; readonly segments: readonly ChildSegment[] }[]
}

/** A request, without its number. */
export type Operation =
  | {
      readonly op: 'open'
      readonly threads: number
      readonly memoryBytes: number
      readonly descriptors: number
    }
  | { readonly op: 'parse'; readonly sql: string; readonly maximumBytes: number }
  | { readonly op: 'load'; readonly tables: readonly ChildTable[] }
  | { readonly op: 'lock' }
  | {
      readonly op: 'query'
      readonly sql: string
      readonly parameters: Readonly<Record<string, Parameter>>
      readonly maxRows: number
      readonly maxBytes: number
      readonly timeoutMilliseconds: number
    }
  | {
      readonly op: 'train'
      readonly rowsSql: string
      readonly repeatedSql: string
      readonly plan: TrainingPlan
      readonly maxRows: number
      readonly timeoutMilliseconds: number
    }
  | {
      readonly op: 'profile'
      readonly fd: number
      readonly format: FileFormat
      readonly columns: ColumnRules
      readonly options: Required<ProfileOptions>
    }
  | {
      readonly op: 'convert'
      readonly fd: number
      readonly format: FileFormat
      readonly columns: ColumnRules
      readonly options: Required<ProfileOptions>
      readonly groups: readonly { readonly columns: readonly string[]; readonly fd: number }[]
    }
  | { readonly op: 'write'; readonly table: Table; readonly fd: number }

/** A numbered request. */
export type Request = Operation & { readonly id: number }

/** What went wrong in the child: a code and names, and for a party's own query text the parser's words. */
export interface Failure extends ErrorPlace {
  readonly code: EngineErrorCode
  readonly syntaxMessage?: string
}

/** What the child sends. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure }
  | { readonly id: number; readonly percent: number }

/** The database's name of a column type, and the only Parquet type that a sealed segment may have for it. */
export const databaseTypes = {
  string: 'VARCHAR',
  int: 'BIGINT',
  double: 'DOUBLE',
  bool: 'BOOLEAN',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
} as const satisfies Record<ColumnType, string>
