/** What does not fit the contract's schema, as a table for the owner's eyes: it shows values of rows and goes nowhere else. */
import type { Finding, FindingRule, ProfileReport } from '#libs/engine'
import { table } from '../cli/table.js'

const ruleWords: Readonly<Record<FindingRule, string>> = {
  FILE_EMPTY: 'the file is empty',
  FILE_UNREADABLE: 'the file cannot be read',
  FILE_TOO_LARGE: 'the file is too large',
  HEADER_COLUMN_MISSING: 'column missing',
  HEADER_COLUMN_REPEATED: 'column twice in the header',
  NO_ROWS: 'no rows',
  ROW_RAGGED: 'wrong number of fields',
  QUOTE_INVALID: 'stray quote',
  ENCODING_INVALID: 'not UTF-8',
  LINE_TOO_LONG: 'line too long',
  LINE_ENDS_MIXED: 'mixed line ends',
  TYPE: 'wrong type',
  VALUE_MISSING: 'value missing',
  UNIT_MISSING: 'unit missing',
  BELOW_MINIMUM: 'below the minimum',
  ABOVE_MAXIMUM: 'above the maximum',
}

/** The findings, one a line. */
export function findingLines(report: ProfileReport): string[] {
  const rows = report.findings.map((finding) => [
    finding.column ?? '',
    finding.row === null ? '' : String(finding.row),
    finding.line === null ? '' : String(finding.line),
    ruleWords[finding.rule],
    seenText(finding),
    finding.expected,
  ])
  const more = report.findingCount - report.findings.length
  return [
    ...table(['column', 'row', 'line', 'what', 'seen', 'expected'], rows),
    ...(more > 0 ? [`and ${more} more of the same kinds`] : []),
  ]
}

/** What the file holds, column by column. */
export function profileLines(report: ProfileReport): string[] {
  const rows = report.columns.map((column) => [
    column.name,
    column.type,
    String(column.missing),
    `${column.distinctIsExact ? '' : '~'}${column.distinct}`,
    column.minimum ?? '',
    column.maximum ?? '',
  ])
  return [
    `${report.rows} rows`,
    ...(report.unit === null
      ? []
      : [
          `${report.unit.distinct} units (${report.unit.column}), at most ${report.unit.maximumRowsPerUnit} rows of one`,
        ]),
    ...table(['column', 'type', 'missing', 'distinct', 'least', 'greatest'], rows),
    ...(report.ignored.length === 0
      ? []
      : [`not named by the contract, never read: ${report.ignored.join(', ')}`]),
  ]
}

function seenText({ seen }: Finding): string {
  return seen ?? 'nothing'
}
