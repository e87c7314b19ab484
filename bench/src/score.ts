/**
 * Scoring a million rows of 30 columns: from columns in memory to scores in memory, in the sandboxed child, beside onnxruntime
 * called plainly on a row-major matrix that is there already: copying the columns, and laying them side by side, is on our side only.
 * Both take turns; the median of the rounds' ratios counts. No run of a contract scores anything yet.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { checkModel, floatTensor, logisticModel, type CheckedModel, type Model } from '#libs/model'
import { scoreColumns, withModelRuntime, type ScoreRequest } from '#libs/runtime'
import type { BenchRow } from './row.js'

const rows = 1_000_000
const width = 30
const rounds = 5

/** Runs the benchmark; some 20 s and 0.6 GB. */
export async function benchScore(): Promise<BenchRow[]> {
  const columns = Object.fromEntries(
    Array.from({ length: width }, (_, column) => [
      `c${column}`,
      Float32Array.from({ length: rows }, (__, row) => Math.sin(row * (column + 1))),
    ]),
  )
  const network = await measure(checkModel(networkModel()), columns)
  const linear = await measure(checkModel(logisticModel(Array<number>(width).fill(0.1), 0)), columns)
  const columnBytes = rows * width * 4
  const memory = (columnBytes + Math.max(network.growth, linear.growth)) / columnBytes
  return [
    row('columns to scores in a child, 1M rows x 30, network 30-128-64-1', network, 1.3),
    row('columns to scores in a child, 1M rows x 30, logistic', linear, null),
    {
      ...{
        what: 'memory while scoring',
        measured: `${memory.toFixed(2)} times the columns`,
        peer: '',
        ratio: '',
      },
      ...{ aim: 'at most 2.5', met: memory <= 2.5 },
    },
  ]
}

interface Measured {
  readonly ours: number
  readonly plain: number
  readonly ratio: number
  readonly growth: number
}

function row(what: string, { ours, plain, ratio }: Measured, aim: number | null): BenchRow {
  return {
    ...{
      what,
      measured: `${ours.toFixed(0)} ms`,
      peer: `onnxruntime on a matrix ${plain.toFixed(0)} ms`,
      ratio: ratio.toFixed(2),
    },
    ...{ aim: aim === null ? 'shown' : `at most ${aim}`, met: aim === null ? null : ratio <= aim },
  }
}

async function measure(model: CheckedModel, columns: ScoreRequest['columns']): Promise<Measured> {
  return withModelRuntime({ inputs: 1, outputs: 1 }, async (runtime) => {
    const session = await runtime.load(model)
    const mapping = { inputs: { rows: Object.keys(columns) }, output: 'scores' }
    const request = { rows, columns, mapping, timeoutMilliseconds: 60_000 }
    const before = resident()
    let most = 0
    const watch = (): void => {
      const files = [...runtime.inputs, ...runtime.outputs].reduce((sum, file) => sum + file.size(), 0)
      most = Math.max(most, resident() + files)
    }
    const scores = await scoreColumns(runtime, session, { ...request, onProgress: watch })
    watch()
    // The peer's matrix comes only now, so that it is not counted.
    const plain = await plainScorer(model, columns)
    requireSame(scores.values, await plain())
    const times: { ours: number; plain: number }[] = []
    for (let round = 0; round < rounds; round++)
      times.push({
        ours: await time(() => scoreColumns(runtime, session, request)),
        plain: await time(plain),
      })
    const middle = (of: (each: { ours: number; plain: number }) => number): number => median(times.map(of))
    return {
      ...{ ours: middle(({ ours }) => ours), plain: middle((each) => each.plain) },
      ...{ ratio: middle((each) => each.ours / each.plain), growth: most - before },
    }
  })
}

async function plainScorer(model: CheckedModel, columns: ScoreRequest['columns']) {
  const matrix = new Float32Array(rows * width)
  for (const [at, column] of Object.values(columns).entries())
    for (let index = 0; index < rows; index++) matrix[index * width + at] = column[index] ?? 0
  const session = await InferenceSession.create(model.bytes)
  return async (): Promise<ArrayLike<number>> => {
    const result = await session.run({ rows: new Tensor('float32', matrix, [rows, width]) })
    return result['scores']?.data as Float32Array
  }
}

function requireSame(ours: ArrayLike<number>, plain: ArrayLike<number>): void {
  for (let index = 0; index < rows; index++)
    if (ours[index] !== plain[index])
      throw new Error(`row ${index} has another score than onnxruntime alone gives`)
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** Resident bytes of this process and all that it started, without pages of files in memory, which are counted by their size. */
function resident(): number {
  const parents = new Map<number, number>()
  const bytes = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8')
      const field = (key: string): number =>
        Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
      parents.set(Number(name), field('PPid'))
      bytes.set(Number(name), field('RssAnon') * 1024)
    } catch (cause) {
      // A process that ended between the two readings has no memory.
      if (!['ENOENT', 'ESRCH'].includes((cause as NodeJS.ErrnoException).code ?? '')) throw cause
    }
  }
  const isOurs = (id: number): boolean => id === process.pid || (id > 1 && isOurs(parents.get(id) ?? 0))
  return [...bytes].reduce((sum, [id, size]) => sum + (isOurs(id) ? size : 0), 0)
}

function networkModel(): Model {
  const layers = [width, 128, 64, 1]
  const nodes: Model['graph']['nodes'][number][] = []
  const initializers: Model['graph']['initializers'][number][] = []
  let from = 'rows'
  for (const [index, size] of layers.slice(1).entries()) {
    const inner = layers[index] ?? 0
    const values = Array.from(
      { length: inner * size },
      (_, each) => Math.sin(each + index) / Math.sqrt(inner),
    )
    initializers.push(floatTensor(`w${index}`, [inner, size], values))
    initializers.push(floatTensor(`b${index}`, [size], Array<number>(size).fill(0.01)))
    const to = size === 1 ? 'scores' : `a${index}`
    const plain = { name: '', domain: '', attributes: [] }
    nodes.push({
      ...plain,
      operator: 'Gemm',
      inputs: [from, `w${index}`, `b${index}`],
      outputs: [`z${index}`],
    })
    nodes.push({ ...plain, operator: size === 1 ? 'Sigmoid' : 'Relu', inputs: [`z${index}`], outputs: [to] })
    from = to
  }
  const { irVersion, opsets, graph } = logisticModel(Array<number>(width).fill(0), 0)
  return { irVersion, opsets, graph: { ...graph, name: 'network', nodes, initializers } }
}
