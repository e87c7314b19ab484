import fc from 'fast-check'
import type { ContractTerms } from '#libs/contract'
import { slow } from '#libs/testing'
import { describe, expect, it } from 'vitest'
import { applyControls, describeControls, parseControls, unsupportedControls } from './apply-controls.js'
import { controlCatalog, controlSchemas } from './catalog.metadata.js'
import type { PreparedOutput } from './computation.js'
import { groupSizeFor, releaseOutput } from './computation.js'
import { decimalOf, decimalText, roundToStep } from './decimal.js'
import { ComputationError } from './errors.js'
import type { ComputationErrorCode } from './errors.js'
import type { Controlled } from './output-control.js'
import { outputControls } from './output-controls/index.js'
import type { Cell, ResultTable } from './result-table.js'

const runs = slow ? 5_000 : 300

function codeOf(act: () => unknown): ComputationErrorCode | 'nothing' {
  try {
    act()
  } catch (error) {
    if (error instanceof ComputationError) return error.code
    throw error
  }
  return 'nothing'
}

const prepared: PreparedOutput = {
  sql: 'SELECT 1',
  outputs: [
    { name: 'ward', type: 'string' },
    { name: 'n', type: 'int' },
    { name: 'rate', type: 'double' },
  ],
  unitCounts: [
    { column: '__units_0', table: 'stays', owner: 'north', read: 0 },
    { column: '__units_1', table: 'stays', owner: 'south', read: 0 },
  ],
  minimumGroupSize: 5,
  controls: parseControls([{ minimumGroupSize: 5 }, { roundTo: { rate: '0.01' } }]),
}

const table: ResultTable = {
  columns: [...prepared.outputs, { name: '__units_0', type: 'int' }, { name: '__units_1', type: 'int' }],
  rows: 2,
  values: [
    ['a', 'b'],
    [12, 7],
    [0.12345, null],
    [6, 5],
    [5, 9],
  ],
}

const changed = (
  change: (copy: { columns: { name: string; type: string }[]; rows: number; values: unknown[][] }) => void,
): unknown => {
  const copy = structuredClone(table) as unknown as Parameters<typeof change>[0]
  change(copy)
  return copy
}

describe('releaseOutput', () => {
  it('strips the counts of units and applies the controls in order', () => {
    const { table: released, effects } = releaseOutput(prepared, table)
    expect(released).toEqual({
      columns: prepared.outputs,
      rows: 2,
      values: [
        ['a', 'b'],
        [12, 7],
        [0.12, null],
      ],
    })
    expect(effects).toEqual([
      { control: 'minimumGroupSize', rowsBefore: 2, rowsAfter: 2, columnsAfter: 3, changedCells: 0 },
      { control: 'roundTo', rowsBefore: 2, rowsAfter: 2, columnsAfter: 3, changedCells: 1 },
    ])
  })

  const mutations: readonly [string, unknown, ComputationErrorCode][] = [
    ['one count below k', changed(({ values }) => (values[4]![1] = 4)), 'GROUP_TOO_SMALL'],
    ['a count that is missing', changed(({ values }) => (values[3]![0] = null)), 'GROUP_TOO_SMALL'],
    ['a count as text', changed(({ values }) => (values[3]![0] = '99999999999999999')), 'GROUP_TOO_SMALL'],
    [
      'counts left out',
      changed((copy) => {
        copy.columns.pop()
        copy.values.pop()
      }),
      'RESULT_MALFORMED',
    ],
    [
      'counts under another name',
      changed(({ columns }) => (columns[4]!.name = '__units_2')),
      'RESULT_MALFORMED',
    ],
    [
      'a column more',
      changed((copy) => {
        copy.columns.push({ name: 'x', type: 'int' })
        copy.values.push([1, 2])
      }),
      'RESULT_MALFORMED',
    ],
    ['columns in another order', changed(({ columns }) => columns.reverse()), 'RESULT_MALFORMED'],
    ['another type', changed(({ columns }) => (columns[1]!.type = 'double')), 'RESULT_MALFORMED'],
    ['an unknown type', changed(({ columns }) => (columns[1]!.type = 'blob')), 'RESULT_MALFORMED'],
    ['text where a number stands', changed(({ values }) => (values[1]![0] = 'P001')), 'RESULT_MALFORMED'],
    ['a number that is no whole one', changed(({ values }) => (values[1]![0] = 1.5)), 'RESULT_MALFORMED'],
    ['infinity', changed(({ values }) => (values[2]![0] = Infinity)), 'RESULT_MALFORMED'],
    ['an object', changed(({ values }) => (values[0]![0] = { toString: 1 })), 'RESULT_MALFORMED'],
    ['a lone surrogate', changed(({ values }) => (values[0]![0] = '\ud800')), 'RESULT_MALFORMED'],
    ['fewer rows than said', changed((copy) => (copy.rows = 3)), 'RESULT_MALFORMED'],
    ['a hole', changed(({ values }) => (values[1] = Array<unknown>(2))), 'RESULT_MALFORMED'],
    ['a field more', { ...table, note: 'x' }, 'RESULT_MALFORMED'],
    ['no table', null, 'RESULT_MALFORMED'],
    ['rows without end', { ...table, rows: 1e9 }, 'RESULT_TOO_LARGE'],
    ['a long text', changed(({ values }) => (values[0]![0] = 'x'.repeat(10_001))), 'RESULT_TOO_LARGE'],
  ]
  it.each(mutations)('releases nothing of a table with %s', (_name, value, code) => {
    expect(codeOf(() => releaseOutput(prepared, value))).toBe(code)
  })

  it('answers anything at all with a ComputationError', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(codeOf(() => releaseOutput(prepared, value))).not.toBe('nothing')
      }),
      { numRuns: runs },
    )
  })

  it('does not let a result without counts pass minimumGroupSize', () => {
    const shown: Controlled = {
      table: { columns: prepared.outputs, rows: 0, values: [[], [], []] },
      units: null,
    }
    expect(codeOf(() => applyControls(shown, prepared.controls))).toBe('UNIT_COUNTS_MISSING')
    expect(codeOf(() => applyControls({ ...shown, units: [] }, prepared.controls))).toBe(
      'UNIT_COUNTS_MISSING',
    )
    expect(codeOf(() => applyControls(shown, parseControls([{ maxRows: 3 }])))).toBe('CONTROL_MISSING')
    expect(codeOf(() => applyControls(shown, []))).toBe('CONTROL_MISSING')
    expect(codeOf(() => applyControls(shown, parseControls([{ uncontrolled: 'all parties are one' }])))).toBe(
      'nothing',
    )
  })
})

describe('parseControls', () => {
  const refused: readonly [string, unknown, ComputationErrorCode][] = [
    ['no controls', [], 'CONTROL_MISSING'],
    ['nothing', undefined, 'CONTROL_MISSING'],
    ['an unknown control', [{ noise: 3 }], 'CONTROL_UNKNOWN'],
    ['a member that every object has', [{ constructor: 3 }], 'CONTROL_UNKNOWN'],
    ['two members', [{ maxRows: 3, columns: ['n'] }], 'CONTROL_INVALID'],
    ['a control twice', [{ maxRows: 3 }, { maxRows: 4 }], 'CONTROL_INVALID'],
    ['uncontrolled beside another', [{ uncontrolled: 'x' }, { maxRows: 4 }], 'CONTROL_INVALID'],
    ['k of zero', [{ minimumGroupSize: 0 }], 'CONTROL_INVALID'],
    ['k as text', [{ minimumGroupSize: '10' }], 'CONTROL_INVALID'],
    ['a step of zero', [{ roundTo: { n: '0' } }], 'CONTROL_INVALID'],
    ['a negative step', [{ roundTo: { n: '-1' } }], 'CONTROL_INVALID'],
    ['no step', [{ roundTo: {} }], 'CONTROL_INVALID'],
    ['text', ['minimumGroupSize'], 'CONTROL_INVALID'],
  ]
  it.each(refused)('refuses %s', (_name, value, code) => {
    expect(codeOf(() => parseControls(value))).toBe(code)
  })

  it('reads controls that this build does not keep, names them and refuses to apply them', () => {
    const controls = parseControls([
      { minimumGroupSize: 5 },
      { differentialPrivacy: { epsilon: '1', delta: '0.00001', mechanism: 'discrete-laplace' } },
    ])
    expect(unsupportedControls(controls)).toEqual(['differentialPrivacy'])
    expect(codeOf(() => applyControls({ table, units: null }, controls))).toBe('CONTROL_UNSUPPORTED')
    expect(describeControls(controls).join(' ')).toContain('does not keep it')
  })

  it('has a control for every name that the catalog calls supported, and for no other', () => {
    const supported = Object.entries(controlCatalog).flatMap(([name, entry]) =>
      entry.supported ? [name] : [],
    )
    expect(Object.keys(outputControls).sort()).toEqual(supported.sort())
    expect(Object.keys(controlCatalog).sort()).toEqual(Object.keys(controlSchemas).sort())
  })
})

describe('output controls', () => {
  const columns = [
    { name: 'label', type: 'string' },
    { name: 'n', type: 'int' },
    { name: 'x', type: 'double' },
  ] as const
  const arbitraryResult = fc
    .array(
      fc.record({
        label: fc.string(),
        n: fc.option(fc.oneof(fc.integer(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 62n }).map(String))),
        x: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
        count: fc.integer({ min: 5, max: 1000 }),
      }),
      { maxLength: 20 },
    )
    .map((rows): Controlled => ({
      table: {
        columns,
        rows: rows.length,
        values: [rows.map(({ label }) => label), rows.map(({ n }) => n), rows.map(({ x }) => x)],
      },
      units: [{ table: 't', owner: 'o', atLeast: rows.map(({ count }) => count) }],
    }))
  const step = fc.constantFrom('0.01', '0.5', '1', '3', '25', '0.000001', '1000000')
  const arbitraryControls = fc.record({
    roundTo: fc.option(step.map((x) => ({ x, n: '5' }))),
    clamp: fc.option(fc.constant({ n: { min: '-10', max: '10' } })),
    topCode: fc.option(fc.constant({ x: '99.5' })),
    columns: fc.option(fc.constant(['x', 'n'])),
    maxRows: fc.option(fc.constant(20)),
  })

  it('never release rows, columns or values that they did not get, but for coarser numbers', () => {
    fc.assert(
      fc.property(arbitraryResult, arbitraryControls, (result, chosen) => {
        const controls = parseControls(
          [
            { minimumGroupSize: 5 },
            ...Object.entries(chosen).flatMap(([name, value]) => (value === null ? [] : [{ [name]: value }])),
          ].sort((a, b) => Number('columns' in a) - Number('columns' in b)),
        )
        const { table: released, effects } = applyControls(result, controls)
        expect(released.rows).toBeLessThanOrEqual(result.table.rows)
        expect(effects).toHaveLength(controls.length)
        for (const [index, column] of released.columns.entries()) {
          const before =
            result.table.values[result.table.columns.findIndex(({ name }) => name === column.name)]!
          released.values[index]!.forEach((cell, row) => {
            if (before[row] === null) expect(cell).toBeNull()
            if (column.type === 'string') expect(cell).toBe(before[row])
          })
        }
      }),
      { numRuns: runs },
    )
  })

  it('round to multiples of the step, the nearest, ties away from zero', () => {
    const cases: readonly [Cell, string, Cell][] = [
      [0.125, '0.01', 0.13],
      [-0.125, '0.01', -0.13],
      [1.005, '0.01', 1.01],
      [2.5, '1', 3],
      [7, '5', 5],
      [0.1 + 0.2, '0.1', 0.3],
      [1e300, '0.01', 1e300],
      [4e-7, '0.01', 0],
    ]
    for (const [value, size, expected] of cases) {
      const one: Controlled = {
        table: { columns: [{ name: 'x', type: 'double' }], rows: 1, values: [[value]] },
        units: null,
      }
      expect(outputControls.roundTo.apply(one, { x: size }).result.table.values).toEqual([[expected]])
    }
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
        step,
        (value, size) => {
          const [exact, unit] = [decimalOf(value), decimalOf(size)]
          const rounded = roundToStep(exact, unit)
          const scale = Math.max(rounded.scale, unit.scale, exact.scale)
          const scaled = ({ units, scale: own }: typeof unit): bigint => units * 10n ** BigInt(scale - own)
          expect(scaled(rounded) % scaled(unit)).toBe(0n)
          const distance = scaled(rounded) - scaled(exact)
          expect((distance < 0n ? -distance : distance) * 2n <= scaled(unit)).toBe(true)
          expect(decimalText(decimalOf(decimalText(rounded)))).toBe(decimalText(rounded))
        },
      ),
      { numRuns: runs },
    )
  })

  it('keep whole numbers whole, up to 64 bits', () => {
    const one = (cell: Cell): Controlled => ({
      table: { columns: [{ name: 'n', type: 'int' }], rows: 1, values: [[cell]] },
      units: null,
    })
    expect(outputControls.roundTo.apply(one('9223372036854775807'), { n: '10' }).result.table.values).toEqual(
      [[null]],
    )
    expect(outputControls.roundTo.apply(one('9007199254740993'), { n: '100' }).result.table.values).toEqual([
      ['9007199254741000'],
    ])
    expect(
      outputControls.roundTo.apply(one('9007199254740999'), { n: '10000000000000000' }).result.table.values,
    ).toEqual([['10000000000000000']])
    expect(codeOf(() => outputControls.roundTo.apply(one(7), { n: '2.5' }))).toBe('CONTROL_INVALID')
    expect(codeOf(() => outputControls.columns.apply(one(7), ['m']))).toBe('CONTROL_INVALID')
    expect(codeOf(() => outputControls.maxRows.apply(one(7), 0))).toBe('RESULT_TOO_LARGE')
  })
})

describe('groupSizeFor', () => {
  const datasets = {
    stays: {
      kind: 'table',
      owners: ['north', 'south'],
      minimums: { north: { minimumGroupSize: 10 }, south: { minimumGroupSize: 5 } },
    },
    claims: { kind: 'table', owners: ['insurer'], minimums: {} },
  } as unknown as ContractTerms['datasets']
  it.each([
    [[{ minimumGroupSize: 3 }], ['stays'], 10],
    [[{ minimumGroupSize: 30 }], ['stays'], 30],
    [[{ maxRows: 30 }], ['claims'], 1],
    [[{ uncontrolled: 'x' }], ['claims'], null],
    [[{ uncontrolled: 'x' }], ['claims', 'stays'], 10],
  ])('is for %j over %j: %j', (controls, reads, k) => {
    expect(groupSizeFor(datasets, { controls: controls }, reads)).toBe(k)
  })
})
