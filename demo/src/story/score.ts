/** A model owner and a hospital: the hospital scores its own patients with a model that it never sees, trained on patients it never saw. */
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeModel, logisticModel, type Model } from '#libs/model'
import { errorOf, text } from '../answers.js'
import type { Narrator } from '../narrator.js'
import { root } from '../stack/processes.js'
import type { Stack } from '../stack/stack.js'
import { takeOutputs, type NamedTable } from './compute.js'
import { features, readCsv, rotterdamModel } from './learn.js'

/** The parties of this story. */
export const scoringLabels = ['maker', 'hospital'] as const
type Label = (typeof scoringLabels)[number]

/** Identities, pins and daemons; answers the parties' keys. */
export async function meet(tell: Narrator, stack: Stack): Promise<Readonly<Record<Label, string>>> {
  return await tell.step('maker and hospital make keys, join, pin each other, start daemons', async () => {
    const made = await Promise.all(
      scoringLabels.map(async (label) => {
        const party = stack.party(label)
        const answer = await party.must('init', '--name', label, '--coordinator', stack.hostile.url)
        await party.must('identity', 'join', '--invitation', await stack.invite(label))
        return [label, text(answer['party'])] as const
      }),
    )
    const keys = Object.fromEntries(made) as Record<Label, string>
    await Promise.all(
      scoringLabels.map(async (label) => {
        const party = stack.party(label)
        const others = scoringLabels.filter((other) => other !== label)
        await party.must('pin', '--', ...others.flatMap((other) => [other, keys[other]]))
        await party.must('rules', 'allow-simulated', 'on')
        await party.startDaemon()
      }),
    )
    stack.startWorker()
    return keys
  })
}

/** The hospital proposes, the maker signs; both let their daemons answer. */
export async function agreeOnScores(
  tell: Narrator,
  stack: Stack,
  keys: Readonly<Record<Label, string>>,
): Promise<string> {
  const [maker, hospital] = [stack.party('maker'), stack.party('hospital')]
  const file = hospital.file('scores.yaml')
  await writeFile(file, scoringContract(keys, stack))
  await tell.step('the contract is checked and dry-run: what each gives and gets, what scores tell', () =>
    hospital.must('contract', 'check', file, '--dry-run'),
  )
  return await tell.step('the hospital proposes it, the maker signs', async () => {
    const contract = text((await hospital.must('contract', 'propose', file))['contract'])
    await maker.must('contract', 'sign', contract)
    for (const party of [maker, hospital]) await party.must('rules', 'automatic', contract)
    return contract
  })
}

/** Each seals its own: the maker a file, the hospital its patients. */
export async function sealModelAndPatients(tell: Narrator, stack: Stack, contract: string): Promise<void> {
  const [maker, hospital] = [stack.party('maker'), stack.party('hospital')]
  const into = (dataset: string) => ['--contract', contract, '--dataset', dataset]
  await writeFile(maker.file('loop.onnx'), encodeModel(loopingModel()))
  await tell.refused(
    'a model that could run for ever is refused where it is sealed, as an enclave would refuse it',
    async () =>
      errorOf(await maker.sealroom('dataset', 'seal', maker.file('loop.onnx'), ...into('recurrence'))),
    /OPERATOR_NOT_ALLOWED/,
  )
  await writeFile(maker.file('recurrence.onnx'), await rotterdamModel())
  await copyFile(join(root, 'demo/data/breast/german.csv'), hospital.file('patients.csv'))
  await tell.step('maker: seal the model; hospital: seal its patients', async () => {
    await Promise.all([
      maker.must('dataset', 'seal', maker.file('recurrence.onnx'), ...into('recurrence')),
      hospital.must('dataset', 'seal', hospital.file('patients.csv'), ...into('patients')),
    ])
  })
}

/** One run; answers the scores as the hospital opens them. */
export async function scorePatients(
  tell: Narrator,
  stack: Stack,
  contract: string,
): Promise<{ readonly run: string; readonly scores: NamedTable }> {
  const hospital = stack.party('hospital')
  const run = await tell.step('a run: the model meets the patients inside the enclave', async () => {
    const words = ['--contract', contract, '--computation', 'recurrences', '--purpose', 'demonstration']
    const { answer, text: said } = await hospital.sealroom('run', 'request', ...words, '--wait')
    if (answer['state'] !== 'completed') throw new Error(`the run did not complete: ${said.slice(0, 1000)}`)
    return text(answer['run'])
  })
  const [scores] = await tell.step(
    'the hospital checks the receipt and opens the scores of its patients',
    () => takeOutputs(stack, 'hospital', run, hospital.file('scores')),
  )
  if (scores === undefined) throw new Error('no scores arrived')
  await tell.refused(
    'the maker gets nothing of it: neither rows nor scores',
    async () =>
      errorOf(await maker(stack).sealroom('run', 'result', run, '--out', maker(stack).file('scores'))),
    /no output|nothing/i,
  )
  return { run, scores }
}

/** How often a patient in whom the disease came back was scored above one in whom it did not; 0.5 is chance. */
export async function areaUnderCurve({ values: [ids = [], scores = []] }: NamedTable): Promise<number> {
  const status = new Map((await readCsv('german.csv')).map((row) => [Number(row['pid']), row['status']]))
  const of = (wanted: string) => scores.filter((_, i) => status.get(Number(ids[i])) === wanted).map(Number)
  const [came, stayed] = [of('1'), of('0')]
  const won = came.flatMap((a) => stayed.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)))
  return won.reduce<number>((sum, one) => sum + one, 0) / won.length
}

function maker(stack: Stack) {
  return stack.party('maker')
}

function loopingModel(): Model {
  const model = logisticModel(
    features.map(() => 1),
    0,
  )
  const nodes = model.graph.nodes.map((node) => ({ ...node, operator: 'Loop' }))
  return { ...model, graph: { ...model.graph, nodes } }
}

function scoringContract(
  keys: Readonly<Record<Label, string>>,
  { simulatorKey, measurement }: Stack,
): string {
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
  return `sealroom: contract/v1
name: breast-cancer-recurrence
purpose: Let the hospital score its own patients; no other use.
valid: { from: ${day(-1)}, until: ${day(365)} }
parties:
  maker:    { key: "${keys.maker}", roles: [model] }
  hospital: { key: "${keys.hospital}", roles: [data, requester, recipient] }
governance: { signatories: [maker, hospital], proposalExpires: ${day(7)} }
log: { witnesses: [maker, hospital], quorum: 2 }
enclaves:
  - tee: simulated      # protects nothing: for demonstrations only
    key: "${simulatorKey}"
    measurement: ["${measurement}"]
    maximumAgeSeconds: 300
datasets:
  patients:
    owners: [hospital]
    unit: pid
    columns:
      pid:    { type: int, use: [join] }
      age:    { type: int, min: 0, max: 120, use: [avg] }
      size:   { type: int, min: 0, max: 500, use: [avg] }
      grade:  { type: int, min: 1, max: 3, use: [avg] }
      nodes:  { type: int, min: 0, max: 200, use: [avg] }
      pgr:    { type: int, min: 0, max: 100000, use: [avg] }
      er:     { type: int, min: 0, max: 100000, use: [avg] }
      hormon: { type: int, min: 0, max: 1, use: [avg] }
  recurrence:
    kind: model
    owners: [maker]
    format: onnx
    inputs: [ { name: rows, type: float32, columns: ${features.length} } ]
    output: { name: scores, type: float32 }
computations:
  recurrences:
    kind: infer
    model: recurrence
    query: |
      select age, case when size > 20 then 1 else 0 end as over_20, case when size > 50 then 1 else 0 end as over_50,
        grade, nodes, pgr, er, hormon
      from patients
    features: [${features.join(', ')}]
    requesters: [hospital]
    limit: 12
    outputs:
      scores: { recipients: [hospital], rowsOf: hospital, controls: [ { roundTo: { score: "0.001" } } ] }
`
}
