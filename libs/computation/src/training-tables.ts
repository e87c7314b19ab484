/** What a training gives, as tables: one for each kind of output, and on how many units each row rests. */
import { ComputationError } from './errors.js'
import type { Cell, ResultColumn, ResultTable } from './result-table.js'
import type { DesignTerm } from './training.js'
import { restsOnEnough, type TrainingReading } from './training-report.js'

interface SupportedRow {
  readonly cells: readonly Cell[]
  readonly support: readonly number[]
}

/**
 * The table of an output, without rows that rest on fewer than `minimumUnits` of any class of units.
 * @throws ComputationError `COMPUTATION_UNSUPPORTED` for an output that no training gives.
 */
export function tableOf(
  output: string,
  terms: readonly DesignTerm[],
  report: TrainingReading,
  minimumUnits: number,
): { readonly table: ResultTable; readonly supports: readonly (readonly number[])[] } {
  const shape = Object.hasOwn(shapes, output) ? shapes[output as keyof typeof shapes] : undefined
  if (shape === undefined)
    throw new ComputationError(
      'COMPUTATION_UNSUPPORTED',
      `a training gives no output ${JSON.stringify(output)}`,
    )
  const rows = shape.rows(report, terms).filter(({ support }) => restsOnEnough(support, minimumUnits))
  return {
    table: {
      columns: shape.columns,
      rows: rows.length,
      values: shape.columns.map((_column, c) => rows.map(({ cells }) => cells[c] ?? null)),
    },
    supports: rows.map(({ support }) => support),
  }
}

interface Shape {
  readonly columns: readonly ResultColumn[]
  readonly rows: (report: TrainingReading, terms: readonly DesignTerm[]) => readonly SupportedRow[]
}

function columns(...named: readonly (readonly [string, ResultColumn['type']])[]): readonly ResultColumn[] {
  return named.map(([name, type]) => ({ name, type }))
}

const coefficients: Shape = {
  columns: columns(
    ['term', 'string'],
    ['level', 'string'],
    ['state', 'string'],
    ['coefficient', 'double'],
    ['standard_error', 'double'],
    ['fill', 'double'],
    ['centre', 'double'],
    ['scale', 'double'],
  ),
  rows: ({ status, intercept, interceptStandardError, support, columns: fitted }, terms) =>
    status !== 'trained'
      ? []
      : [
          {
            cells: ['(intercept)', null, 'used', intercept, interceptStandardError, null, null, null],
            support,
          },
          ...fitted.map((column, i): SupportedRow => {
            const { name = '', level = null } = terms[i] ?? {}
            const { heldBack, coefficient, standardError, fill, centre, scale } = column
            const learned = heldBack === null ? [coefficient, standardError, fill, centre, scale] : []
            return { cells: [name, level, heldBack ?? 'used', ...learned], support: column.support }
          }),
        ],
}

const shapes = {
  /** The table that stands beside the model's file. */
  model: coefficients,
  coefficients,
  metrics: {
    columns: columns(
      ['metric', 'string'],
      ['part', 'string'],
      ['value', 'double'],
      ['low', 'double'],
      ['high', 'double'],
      ['units', 'int'],
    ),
    rows: ({ metrics }) =>
      metrics.map(({ metric, part, value, low, high, rows, support }) => ({
        cells: [metric, part, value, low, high, rows],
        support,
      })),
  },
  confusion: {
    columns: columns(['part', 'string'], ['actual', 'bool'], ['predicted', 'bool'], ['units', 'int']),
    rows: ({ confusion }) =>
      confusion.map(({ part, actual, predicted, count, support }) => ({
        cells: [part, actual, predicted, count],
        support,
      })),
  },
  calibration: {
    columns: columns(
      ['part', 'string'],
      ['from', 'double'],
      ['until', 'double'],
      ['units', 'int'],
      ['predicted', 'double'],
      ['observed', 'double'],
    ),
    rows: ({ calibration }) =>
      calibration.map(({ part, from, until, rows, predicted, observed, support }) => ({
        cells: [part, from, until, rows, predicted, observed],
        support,
      })),
  },
} as const satisfies Record<string, Shape>
