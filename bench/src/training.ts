/** A logistic regression inside a run, beside scikit-learn's fastest solver on the same numbers, in memory and in the clear. */
import { execFileSync } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { agreeOn } from './agreed-contract.js'
import { owners, requester, startCollaboration } from './collaboration.js'
import { releaseToReceipt } from './release-to-receipt.js'
import { timeLoadedTraining } from './loaded-training.js'
import type { BenchRow } from './row.js'

const rows = 800_000
const width = 30
const aimFactor = 1.5
const features = Array.from({ length: width }, (_, i) => `f${i}`)

/**
 * From the last KeyRelease to the Receipt: opening, loading and checking the sealed columns are in it, and measures and sealing. And from
 * loaded data to the report: the database's part, scaling, fitting with standard errors, and measures. Of the peer only scaling and
 * fitting count, by the fastest of its solvers.
 */
export async function benchTraining(): Promise<readonly BenchRow[]> {
  const collaboration = await startCollaboration()
  try {
    const { stack, sealroom } = collaboration
    const [owner] = owners
    const file = stack.party(owner).file('cases.parquet')
    const raw = stack.party(owner).file('cases.f32')
    await makeCases(file, raw)
    const contract = await agreeOn(collaboration, 'training', sections())
    await sealroom(owner, 'dataset', 'seal', file, '--contract', contract, '--dataset', 'cases')
    let [best, loss] = [Number.POSITIVE_INFINITY, Number.NaN]
    for (let count = 0; count < 3; count++) {
      const folder = stack.party(requester).file(`model-${count}`)
      best = Math.min(best, await releaseToReceipt(collaboration, contract, 'risk', folder))
      loss = await lossIn(folder)
    }
    const peer = askPeer(raw)
    const loaded = await timeLoadedTraining({ file, features }, 3)
    return [
      comparison('last release to Receipt', { milliseconds: best, loss }, peer),
      comparison('data loaded to report', loaded, peer),
    ]
  } finally {
    await collaboration.close()
  }
}

interface Peer {
  readonly solver: string
  readonly milliseconds: number
  readonly loss: number
}

function comparison(from: string, ours: Omit<Peer, 'solver'>, peer: Peer | null): BenchRow {
  const what = `logistic regression, ${rows / 1000}k x ${width}: ${from}`
  const measured = `${ours.milliseconds.toFixed(0)} ms, loss ${ours.loss.toFixed(6)}`
  const aim = `> ${aimFactor} x, at equal loss`
  if (peer === null) return { what, measured, peer: 'no scikit-learn here', ratio: '-', aim, met: false }
  const { solver, milliseconds } = peer
  const equal = Math.abs(peer.loss - ours.loss) < 1e-6
  return {
    ...{ what, measured, aim },
    peer: `scikit-learn ${solver}, fit in memory ${milliseconds.toFixed(0)} ms, loss ${peer.loss.toFixed(6)}`,
    ratio: (milliseconds / ours.milliseconds).toFixed(2),
    met: equal && milliseconds / ours.milliseconds > aimFactor,
  }
}

async function makeCases(file: string, raw: string): Promise<void> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect()
  const uniform = (salt: number) => `(hash(i * 64 + ${salt}) % 1000003) / 500001.5 - 1`
  const columns = features.map((name, i) => `${uniform(i)} as ${name}`)
  const predictor = features.map((name, i) => `${(((i * 7) % 11) - 5) / 5} * ${name}`).join(' + ')
  await connection.run(
    `create table cases as select i as id, ${columns.join(', ')}, (${uniform(40)} + 1) / 2 as luck from range(${rows}) t(i)`,
  )
  await connection.run(
    `copy (select id, luck < 1 / (1 + exp(1 - (${predictor}))) as outcome, ${features.join(', ')} from cases)
     to '${file}' (format parquet, compression zstd)`,
  )
  await writeRaw(connection, file, raw)
}

/** Features and outcome column by column, in single precision. */
async function writeRaw(connection: DuckDBConnection, file: string, raw: string): Promise<void> {
  const handle = await open(raw, 'w')
  for (const name of [...features, 'outcome']) {
    const reader = await connection.runAndReadAll(
      `select ${name}::float from read_parquet('${file}') order by id`,
    )
    await handle.write(Buffer.from(Float32Array.from(reader.getColumns()[0] as number[]).buffer))
  }
  await handle.close()
}

const script = `
import sys, time, json, warnings
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
warnings.simplefilter('ignore')
all = np.fromfile(sys.argv[1], dtype=np.float32).reshape(${width + 1}, -1)
x, y = np.ascontiguousarray(all[:-1].T), all[-1]
best = None
for solver in ['lbfgs', 'newton-cholesky', 'newton-cg']:
    for kind in [np.float32, np.float64]:
        given = x.astype(kind)
        for _ in range(2):
            begun = time.perf_counter()
            scaled = StandardScaler().fit_transform(given)
            model = LogisticRegression(C=1, solver=solver, tol=1e-4, max_iter=1000).fit(scaled, y)
            took = (time.perf_counter() - begun) * 1000
            z = scaled.astype(np.float64) @ model.coef_[0] + model.intercept_[0]
            loss = float(np.mean(np.logaddexp(0, z) - y * z))
            if best is None or took < best['milliseconds']:
                best = {'solver': solver + ' ' + kind.__name__, 'milliseconds': took, 'loss': loss}
print(json.dumps(best))
`

function askPeer(raw: string): Peer | null {
  try {
    const said = execFileSync('/usr/bin/python3', ['-c', script, raw], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return JSON.parse(said) as Peer
  } catch {
    return null
  }
}

async function lossIn(folder: string): Promise<number> {
  const lines = (await readFile(join(folder, 'metrics.csv'), 'utf8')).split('\n')
  return Number(lines.find((line) => line.startsWith('logLoss,'))?.split(',')[2])
}

function sections(): string {
  const [owner] = owners
  const columns = features.map((name) => `      ${name}: { type: double, min: -1, max: 1, use: [avg] }`)
  return `datasets:
  cases:
    owners: [${owner}]
    unit: id
    segments: { key: [id], rest: [outcome, ${features.join(', ')}] }
    columns:
      id: { type: int, use: [join] }
      outcome: { type: bool, use: [avg] }
${columns.join('\n')}
computations:
  risk:
    kind: train
    algorithm: logistic-regression
    query: select outcome, ${features.join(', ')} from cases
    target: outcome
    features: [${features.join(', ')}]
    requesters: [${requester}]
    limit: 100
    outputs:
      model: { recipients: [${requester}], controls: [ { minimumGroupSize: 10 } ] }
      metrics: { recipients: [${requester}], controls: [ { minimumGroupSize: 10 } ] }
`
}
