/** How long things take that people wait for: a first result, a trivial run, and where its time goes. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unverifiedStatement } from '#libs/canonical'
import { startCollaboration, median, owners, requester, type Collaboration } from './collaboration.js'
import type { BenchRow } from './row.js'

const trivialRuns = 11

/** A trivial run and the way to the first result, over three owners with every check and cosignature made. */
export async function benchRuns(print: (line: string) => void): Promise<readonly BenchRow[]> {
  const collaboration = await startCollaboration()
  try {
    const rows: BenchRow[] = []
    const { contract, seconds } = await firstResult(collaboration)
    rows.push(row('contract proposed to first result opened', seconds * 1000, 6000))
    const durations: number[] = []
    const timelines: ReadonlyMap<string, number>[] = []
    for (let count = 0; count < trivialRuns; count++) {
      // How long a run takes, not how fast fresh enclaves are made: the first result took one, and each run takes one.
      await collaboration.stack.registeredInstances(count + 2)
      const begun = performance.now()
      await requestAndOpen(collaboration, contract, count)
      durations.push(performance.now() - begun)
      timelines.push(await timelineOf(collaboration, count))
    }
    rows.push(row(`trivial run, request to opened result, median of ${trivialRuns}`, median(durations), 1000))
    rows.push(await oneAfterAnother(collaboration, contract))
    print('\nWhere the time of a trivial run goes (median, ms since the request was signed):')
    for (const line of medianTimeline(timelines)) print(line)
    return rows
  } finally {
    await collaboration.close()
  }
}

/** Runs without a pause: each waits for its fresh enclave too, which this machine's two cores make meanwhile. */
async function oneAfterAnother(collaboration: Collaboration, contract: string): Promise<BenchRow> {
  const runs = 5
  const begun = performance.now()
  for (let count = 0; count < runs; count++)
    await requestAndOpen(collaboration, contract, trivialRuns + count)
  const each = (performance.now() - begun) / runs
  return {
    what: 'the same, one after another without a pause, each',
    measured: `${each.toFixed(0)} ms`,
    peer: '',
    ratio: '',
    aim: 'shown',
    met: null,
  }
}

function row(what: string, milliseconds: number, aim: number): BenchRow {
  return {
    what,
    measured: `${milliseconds.toFixed(0)} ms`,
    peer: `limit ${aim} ms`,
    ratio: (milliseconds / aim).toFixed(2),
    aim: '< 1',
    met: milliseconds < aim,
  }
}

/** Agrees on a contract, seals three small tables, and opens a first result. */
export async function firstResult(
  collaboration: Collaboration,
): Promise<{ contract: string; seconds: number }> {
  const { stack, sealroom } = collaboration
  const file = stack.party(requester).file('contract.yaml')
  await writeFile(file, contractText(collaboration))
  for (const owner of owners) await writeFile(stack.party(owner).file('table.csv'), tableText())
  const begun = performance.now()
  const contract = String((await sealroom(requester, 'contract', 'propose', file))['contract'])
  await Promise.all(
    owners.map(async (owner) => {
      await sealroom(owner, 'contract', 'sign', contract)
      await sealroom(owner, 'rules', 'automatic', contract)
    }),
  )
  await Promise.all(
    owners.map((owner) =>
      sealroom(
        owner,
        'dataset',
        'seal',
        stack.party(owner).file('table.csv'),
        '--contract',
        contract,
        '--dataset',
        owner,
      ),
    ),
  )
  await requestAndOpen(collaboration, contract, -1)
  return { contract, seconds: (performance.now() - begun) / 1000 }
}

async function requestAndOpen(
  { stack, sealroom }: Collaboration,
  contract: string,
  count: number,
): Promise<void> {
  const words = ['--contract', contract, '--computation', 'people', '--purpose', 'measuring', '--wait']
  const { run, state } = await sealroom(requester, 'run', 'request', ...words)
  if (state !== 'completed') throw new Error(`run ${String(run)} ended ${String(state)}`)
  await sealroom(
    requester,
    'run',
    'result',
    String(run),
    '--out',
    stack.party(requester).file(`result-${count}`),
  )
}

/** When each kind of statement was signed last, in ms since the request was; by the signers' own clocks, all this machine's. */
async function timelineOf({ stack }: Collaboration, count: number): Promise<ReadonlyMap<string, number>> {
  const bundle = JSON.parse(
    await readFile(join(stack.party(requester).file(`result-${count}`), 'receipt.json'), 'utf8'),
  ) as {
    run: { statements: readonly { type: string; statement: string }[] }
  }
  const signed = bundle.run.statements.map(({ type, statement }) => ({ type, at: signedAt(statement) }))
  const begun = signed.find(({ type }) => type === 'run-request')?.at ?? 0
  const last = new Map<string, number>()
  for (const { type, at } of signed) last.set(type, Math.max(last.get(type) ?? 0, at - begun))
  return last
}

function signedAt(statement: string): number {
  const { payload } = unverifiedStatement(statement)
  const issuedAt = (payload as { issuedAt?: unknown }).issuedAt
  return typeof issuedAt === 'string' ? Date.parse(issuedAt) : Number.NaN
}

function medianTimeline(timelines: readonly ReadonlyMap<string, number>[]): readonly string[] {
  const kinds = [...(timelines[0]?.keys() ?? [])]
  const middles = kinds.map(
    (kind) => [kind, median(timelines.map((timeline) => timeline.get(kind) ?? 0))] as const,
  )
  return middles
    .toSorted((a, b) => a[1] - b[1])
    .map(([kind, at]) => `  ${kind.padEnd(14)} ${String(Math.round(at)).padStart(6)} ms`)
}

function contractText({ stack, keys }: Collaboration): string {
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
  const parties = owners.map((owner) => `  ${owner}: { key: "${keys[owner] ?? ''}", roles: [data] }`)
  const datasets = owners.map(
    (owner) =>
      `  ${owner}: { owners: [${owner}], unit: id, columns: { id: { type: int, use: [join] }, value: { type: double, min: 0, max: 100, use: [avg] } } }`,
  )
  return `sealroom: contract/v1
name: bench
purpose: Measuring.
valid: { from: ${day(-1)}, until: ${day(30)} }
parties:
${parties.join('\n')}
  ${requester}: { key: "${keys[requester] ?? ''}", roles: [requester, recipient] }
governance: { signatories: [${[requester, ...owners].join(', ')}], proposalExpires: ${day(7)} }
log: { witnesses: [${owners.join(', ')}], quorum: 3 }
enclaves: [ { tee: simulated, key: "${stack.simulatorKey}", measurement: ["${stack.measurement}"], maximumAgeSeconds: 300 } ]
datasets:
${datasets.join('\n')}
computations:
  people:
    kind: sql
    query: select count(*) as people, avg(south.value) as mean from north join south using (id) join west using (id)
    requesters: [${requester}]
    limit: 1000
    failures: 100
    outputs: { result: { recipients: [${requester}], controls: [ { minimumGroupSize: 5 } ] } }
`
}

function tableText(): string {
  return ['id,value', ...Array.from({ length: 100 }, (_, index) => `${index},${index % 10}.5`), ''].join('\n')
}
