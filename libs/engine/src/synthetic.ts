/** Made-up rows of a schema, for the dry run of `contract check`: same seed, same rows. They say nothing about real data. */
import { dateText, dayNumber, microseconds, timestampText } from './calendar.js'
import type { Bound, ColumnRule, ColumnRules, Table, Value } from './tables.js'

/** What to make. */
export interface SyntheticOptions {
  readonly rows: number
  /** The column of the privacy unit: `u000001` or 1 and so on, so that tables of one contract join. */
  readonly unit: string
  /** Distinct units; rows are spread over them evenly. */
  readonly units: number
  readonly seed: number
}

/** Values of a text column that is not the unit. */
const words = ['amber', 'birch', 'cedar', 'delta', 'ember', 'fjord', 'grove', 'haven']

/** A table that meets the rules: within bounds, missing only where that is allowed, the extremes included. */
export function syntheticTable(columns: ColumnRules, options: SyntheticOptions): Table {
  const names = Object.keys(columns)
  return {
    columns: Object.entries(columns).map(([name, { type }]) => ({ name, type })),
    rows: options.rows,
    values: Object.entries(columns).map(([name, rule]) => {
      const next = generator(options.seed, names.indexOf(name))
      return Array.from({ length: options.rows }, (_, row) =>
        name === options.unit ? unitValue(rule, row % options.units) : columnValue(rule, row, next),
      )
    }),
  }
}

function columnValue(rule: ColumnRule, row: number, next: () => number): Value {
  const chance = next()
  const position = row === 0 ? 0 : row === 1 ? 1 : next()
  if (rule.nullable === true && row > 1 && chance < 0.1) return null
  switch (rule.type) {
    case 'string':
      return words[Math.min(words.length - 1, Math.floor(position * words.length))] ?? null
    case 'bool':
      return position >= 0.5
    case 'int': {
      const [low, high] = range(rule, BigInt, 0n, 99n)
      return plain(low + (BigInt(Math.round(position * 1_000_000)) * (high - low)) / 1_000_000n)
    }
    case 'double': {
      const [low, high] = range(rule, Number, 0, 100)
      return low * (1 - position) + high * position
    }
    case 'date': {
      const [low, high] = range(rule, (bound) => dayNumber(String(bound)), 18_262, 20_088)
      return dateText(Math.floor(low + position * (high - low)))
    }
    case 'timestamp': {
      const second = 1_000_000n
      const [low, high] = range(
        rule,
        (bound) => microseconds(String(bound)),
        18_262n * 86_400n * second,
        20_088n * 86_400n * second,
      )
      const between = low + (BigInt(Math.round(position * 1_000_000)) * (high - low)) / 1_000_000n
      return timestampText(between)
    }
  }
}

function unitValue(rule: ColumnRule, index: number): Value {
  if (rule.type === 'int') return plain(range(rule, BigInt, 1n, 9_000_000n)[0] + BigInt(index))
  return rule.type === 'string' ? `u${String(index + 1).padStart(6, '0')}` : null
}

// One bound alone gives a range of the default's width beside it.
function range<T extends number | bigint>(
  rule: ColumnRule,
  read: (bound: Bound) => T,
  low: T,
  high: T,
): readonly [T, T] {
  const width = (high as number) - (low as number)
  const min = rule.min === undefined ? undefined : read(rule.min)
  const max = rule.max === undefined ? undefined : read(rule.max)
  const from = min ?? (max !== undefined && max < low ? (((max as number) - width) as T) : low)
  return [from, max ?? (from > high ? (((from as number) + width) as T) : high)]
}

function plain(value: bigint): number | string {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : String(value)
}

// Mulberry32: small, and the same everywhere. Not for secrets.
function generator(seed: number, stream: number): () => number {
  let state = (seed + Math.imul(stream + 1, 0x9e3779b9)) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
