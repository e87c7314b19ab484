/** Two owners, a lab, a coordinator and a production worker on a made-up SEV-SNP machine: each a process, as in the field. */
import type { Server } from 'node:http'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { text } from '../../../demo/src/answers.js'
import { root } from '../../../demo/src/stack/processes.js'
import type { Party } from '../../../demo/src/stack/party.js'
import { Stack } from '../../../demo/src/stack/stack.js'
import { machineEntry, MadeUpMachine } from './made-up-machine.js'
import type { MadeUpRoots } from './made-up-roots.js'
import type { MadeUpWorker } from './worker-program.js'
import { serveTsm } from './served-tsm.js'

const labels = ['north', 'south', 'lab'] as const
type Label = (typeof labels)[number]
const owners = ['north', 'south'] as const

export interface Ended {
  readonly run: string
  readonly state: string
}

export class HardwareRoom {
  private constructor(
    readonly stack: Stack,
    readonly machine: MadeUpMachine,
    readonly contract: string,
    private readonly tsm: Server,
    private readonly hostileWorker: string,
  ) {}

  /** Everybody has signed and sealed, and a worker waits. */
  static async begin(): Promise<HardwareRoom> {
    const folder = await mkdtemp(join(tmpdir(), 'sealroom-hardware-'))
    const machine = new MadeUpMachine(Date.now())
    const socket = join(folder, 'tsm.sock')
    const tsm = await serveTsm(machine, socket)
    const roots: MadeUpRoots = { amd: machine.roots, nvidia: machine.nvidiaRoots }
    const gpuTool = await writeGpuTool(join(folder, 'nvattest.mjs'), socket)
    const worker: MadeUpWorker = { roots, socket, gpuTool, checksItself: true }
    const write = (name: string, call: string) =>
      writeProgram(join(folder, name), name === 'agent.mjs' ? 'agent' : 'worker', call)
    const agent = await write('agent.mjs', `await runMadeUpAgent(${JSON.stringify(roots)})`)
    const honest = await write('worker.mjs', workerCall(worker))
    const hostile = await write('hostile-worker.mjs', workerCall({ ...worker, checksItself: false }))
    const beside = join(folder, 'beside-worker')
    await machine.fillWorkerFolder(beside)
    const workerArgs = ['--collateral-folder', beside]
    const stack = await Stack.start({ folder, labels, instead: { agent, worker: honest, workerArgs } })
    try {
      stack.startWorker()
      const contract = await agree(stack, await takeSeats(stack, machine))
      return new HardwareRoom(stack, machine, contract, tsm, hostile)
    } catch (error) {
      await stack.stop()
      tsm.close()
      throw error
    }
  }

  party(label: Label): Party {
    return this.stack.party(label)
  }

  /** The lab asks, and waits for the end. */
  async run(): Promise<Ended> {
    const words = ['--contract', this.contract, '--computation', 'by_ward', '--purpose', 'test', '--wait']
    const { answer, text: said } = await this.party('lab').sealroom('run', 'request', ...words)
    if (typeof answer['run'] !== 'string') throw new Error(`the request was not taken: ${said.slice(0, 800)}`)
    return { run: answer['run'], state: text(answer['state']) }
  }

  /** From now on the operator's worker shows what it has without looking at it itself. */
  async turnHostile(): Promise<void> {
    await this.stack.worker?.stop()
    this.stack.startWorker(this.hostileWorker)
    await this.stack.registeredInstances(1)
  }

  /** Why an owner refused a run, in its own words. */
  async refusalBy(label: Label, run: string): Promise<string> {
    const { text: said } = await this.party(label).sealroom('run', 'explain', run)
    return said
  }

  async end(): Promise<void> {
    await this.stack.stop()
    await new Promise((resolve) => this.tsm.close(resolve))
    if (process.env['KEEP'] === undefined) await rm(this.stack.folder, { recursive: true, force: true })
  }
}

async function writeProgram(path: string, library: 'agent' | 'worker', call: string): Promise<string> {
  const url = pathToFileURL(join(root, `dist/test/e2e/hardware/${library}-program.js`)).href
  const name = library === 'agent' ? 'runMadeUpAgent' : 'runMadeUpWorker'
  await writeFile(path, `import { ${name} } from ${JSON.stringify(url)}\n${call}\n`)
  return path
}

/** A program that answers as NVIDIA's tool does, from the machine that is served at a socket. */
async function writeGpuTool(path: string, socketPath: string): Promise<string> {
  const question = `{ socketPath: ${JSON.stringify(socketPath)}, path: '/gpu/' + process.argv.at(-1), method: 'POST' }`
  const script = `import { request } from 'node:http'\nrequest(${question}, (answer) => answer.pipe(process.stdout)).end()`
  await writeFile(path, `#!${process.execPath}\n${script}\n`, { mode: 0o700 })
  return path
}

function workerCall(worker: MadeUpWorker): string {
  return `await runMadeUpWorker(import.meta.url, ${JSON.stringify(worker)})`
}

async function takeSeats(stack: Stack, machine: MadeUpMachine): Promise<Record<Label, string>> {
  const keys = await eachOf(labels, async (label) => {
    const party = stack.party(label)
    const { party: key } = await party.must('init', '--name', label, '--coordinator', stack.hostile.url)
    await machine.fillAgentFolder(join(party.home, 'collateral'))
    await party.must('identity', 'join', '--invitation', await stack.invite(label))
    return text(key)
  })
  await eachOf(labels, async (label) => {
    const others = labels.filter((other) => other !== label)
    await stack.party(label).must('pin', '--', ...others.flatMap((other) => [other, keys[other]]))
    await stack.party(label).startDaemon()
  })
  return keys
}

async function agree(stack: Stack, keys: Record<Label, string>): Promise<string> {
  const lab = stack.party('lab')
  await writeFile(lab.file('study.yaml'), contractText(keys))
  const { contract: id } = await lab.must('contract', 'propose', lab.file('study.yaml'))
  const contract = text(id)
  await eachOf(owners, (owner) => stack.party(owner).must('contract', 'sign', contract))
  await eachOf(owners, async (owner) => {
    const party = stack.party(owner)
    const dataset = owner === 'north' ? 'people' : 'values'
    const file = party.file(`${dataset}.csv`)
    await writeFile(file, rowsOf(dataset))
    await party.must('dataset', 'seal', file, '--contract', contract, '--dataset', dataset)
    await party.must('rules', 'automatic', contract)
  })
  return contract
}

function rowsOf(dataset: 'people' | 'values'): string {
  const ids = Array.from({ length: 40 }, (_, index) => index)
  const rows = ids.map((id) => (dataset === 'people' ? `${id},ward ${id % 2}` : `${id},${id}.5`))
  return [dataset === 'people' ? 'id,ward' : 'id,v', ...rows, ''].join('\n')
}

function contractText(keys: Record<Label, string>): string {
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
  return `sealroom: contract/v1
name: on-hardware
purpose: To run on hardware.
valid: { from: ${day(-1)}, until: ${day(365)} }
parties:
  north: { key: "${keys.north}", roles: [data] }
  south: { key: "${keys.south}", roles: [data] }
  lab:   { key: "${keys.lab}", roles: [requester, recipient, auditor] }
governance: { signatories: [north, south, lab], proposalExpires: ${day(7)}, amend: all, revokers: [north] }
log: { witnesses: [north, south], quorum: 2 }
enclaves:
${machineEntry}datasets:
  people:
    owners: [north]
    unit: id
    columns: { id: { type: int, use: [join] }, ward: { type: string, use: [dimension] } }
  values:
    owners: [south]
    unit: id
    columns: { id: { type: int, use: [join] }, v: { type: double, min: 0, max: 100, use: [avg] } }
computations:
  by_ward:
    kind: sql
    query: select ward, count(*) as n, avg(v) as mean from people join values using (id) group by ward order by ward
    requesters: [lab]
    limit: 5
    outputs: { result: { recipients: [lab], controls: [ { minimumGroupSize: 5 } ] } }
`
}

async function eachOf<Name extends Label, Result>(
  names: readonly Name[],
  act: (name: Name) => Promise<Result>,
): Promise<Record<Name, Result>> {
  const made = await Promise.all(names.map(async (name) => [name, await act(name)] as const))
  return Object.fromEntries(made) as Record<Name, Result>
}
