import { describe, expect, it } from 'vitest'
import { appendBatch, blockRows, emptyPart, type Block } from '../blocks.js'
import { addStripes, doStripe, partWork, workAlone } from '../crew.js'
import { extremesLength } from './columns.js'
import { Room } from './room.js'
import { evaluate } from './rows.js'
import { tasks, type Given, type TaskName } from './tasks.js'

const width = 4
const columns = [0, 1, 2, 3]

function blocksOf(rows: number): readonly Block[] {
  const parts = { train: emptyPart(width), test: emptyPart(width) }
  appendBatch(parts, {
    rows,
    columns: columns.map((column) =>
      Array.from({ length: rows }, (_, i) => Math.sin((column + 2) * i) * 10 ** column),
    ),
    target: Array.from({ length: rows }, (_, i) => i % 2),
    part: new Float32Array(rows),
    classes: Array.from({ length: rows }, (_, i) => 1 + (i % 3)),
  })
  return parts.train.blocks
}

const [base] = blocksOf(10) as [Block]
const model = { algorithm: 'logistic-regression', withCurvature: true } as const

describe('a room', () => {
  it.each([0, -1, 1.5, NaN, Infinity, 16_385])('is not made for %s columns', (count) => {
    expect(() => new Room(count)).toThrow(RangeError)
  })

  it.each<[string, Block, readonly number[]]>([
    ['no row', { ...base, rows: 0 }, columns],
    ['a row less than none', { ...base, rows: -8 }, columns],
    ['half a row', { ...base, rows: 1.5 }, columns],
    ['a row more than a block has', { ...base, rows: blockRows + 1 }, columns],
    ['no column', base, []],
    ['a column more than it has room for', base, [...columns, 0]],
    ['a column that the block does not have', base, [width]],
    ['a column before the first', base, [-1]],
    ['a column that is no number', base, [NaN]],
  ])('takes no block of %s', (_name, block, chosen) => {
    const room = new Room(width)
    room.load(base, columns, 0)
    expect(() => {
      room.load(block, chosen, 0)
    }).toThrow(RangeError)
  })

  it.each([0, width, width + 2, 10_000])('takes no model of %i coefficients for four columns', (count) => {
    const given = { ...model, active: columns, coefficients: new Float64Array(count) }
    expect(() => {
      evaluate(new Room(width), [base], given, new Float64Array(30))
    }).toThrow(RangeError)
  })
})

const given: { readonly [Name in TaskName]: (rows: number) => Given<Name> } = {
  extremes: () => width,
  tallies: () => ({
    yardsticks: columns.map((column) => ({ least: -(10 ** column), greatest: 10 ** column, centre: 0.1 })),
    unitClasses: 2,
  }),
  prepare: () => columns.map((column) => ({ fill: 0, centre: 0.5, scale: 10 ** column })),
  evaluate: () => ({ ...model, active: [0, 2, 3], coefficients: Float64Array.of(0.3, -0.01, 0.002, 0.1) }),
  longest: () => [1, 3],
  score: (rows) => ({
    ...{ ...model, active: [0, 2], coefficients: Float64Array.of(0.3, -0.01, 0.1) },
    ...{ predictors: new Float64Array(rows), probabilities: new Float64Array(rows) },
  }),
}

describe.each(Object.keys(tasks) as TaskName[])('the task %s', (name) => {
  /** All that it leaves, where its stripes are done in this order, by as many rooms in turn. */
  function doAll(rooms: number, order: (stripes: number) => readonly number[]): Buffer {
    const rows = 70 * blockRows + 5
    const blocks = blocksOf(rows)
    const taken = given[name](rows)
    const work = partWork(name, blocks, taken)
    const crew = Array.from({ length: rooms }, () => new Room(width))
    const done = Array.from({ length: work.stripes }, () => new Float64Array(work.length))
    order(work.stripes).forEach((stripe, turn) => {
      const [room, into] = [crew[turn % rooms], done[stripe]]
      if (room === undefined || into === undefined) throw new RangeError(`no stripe ${stripe}`)
      doStripe(room, name, blocks, taken, stripe, work, into)
    })
    const scores =
      typeof taken === 'object' && 'predictors' in taken ? [taken.predictors, taken.probabilities] : []
    const left = [addStripes(done, work.length), ...scores, ...blocks.map((block) => block.columns)]
    return Buffer.concat(
      left.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
    )
  }
  const inOrder = (stripes: number): number[] => Array.from({ length: stripes }, (_, i) => i)

  it('leaves the same bits in whichever order and room its stripes are done', () => {
    const first = doAll(1, inOrder)
    expect(doAll(1, (stripes) => inOrder(stripes).reverse()).equals(first)).toBe(true)
    expect(
      doAll(3, (stripes) => inOrder(stripes).sort((a, b) => ((a * 37) % 64) - ((b * 37) % 64))).equals(first),
    ).toBe(true)
  })
})

it.each([1, 2, 63, 64, 65, 130])('each of %i blocks is in one stripe', (count) => {
  const blocks = Array.from({ length: count }, (_, i) => ({ ...base, rows: 1 + (i % 10) }))
  const stripes = workAlone(width).run('extremes', blocks, width)
  const [, , values] = addStripes(stripes, width * extremesLength)
  expect(values).toBe(blocks.reduce((sum, { rows }) => sum + rows, 0))
})
