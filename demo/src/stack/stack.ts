/** Starts what a collaboration needs on one machine: a coordinator, a worker pool with a SIMULATED enclave, and the parties. */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { signingKeyFromSeed, toBase64url } from '#libs/canonical'
import { routes } from '#libs/protocol'
import { HostileCoordinator } from './hostile-coordinator.js'
import { Party } from './party.js'
import { programs, run, start, type Running } from './processes.js'

export const origin = 'log.demo.sealroom.example/1'

export interface StackOptions {
  readonly folder: string
  readonly labels: readonly string[]
  readonly env?: Record<string, string>
  /** Puts something between everybody and the coordinator at an address; answers the address where that listens. */
  readonly through?: (coordinatorUrl: string) => Promise<string>
  /** Other programs than the agents' own and the simulated worker's. */
  readonly instead?: OtherPrograms
}

/** Programs of a test, which brings its own hardware. */
export interface OtherPrograms {
  readonly agent: string
  readonly worker: string
  /** What the worker is told beside coordinator and enrolment. */
  readonly workerArgs: readonly string[]
}

export class Stack {
  private constructor(
    readonly folder: string,
    public coordinator: Running,
    /** what everybody takes for the coordinator: honest until it is told otherwise */
    readonly hostile: HostileCoordinator,
    readonly directUrl: string,
    readonly simulatorKey: string,
    readonly measurement: string,
    readonly parties: ReadonlyMap<string, Party>,
    private readonly env: Record<string, string>,
    private readonly instead: OtherPrograms | undefined,
  ) {}

  worker: Running | null = null
  readonly origin = origin

  /** Starts the coordinator and makes the parties' folders; the worker is started by {@link startWorker}. */
  static async start({ folder, labels, env = {}, through, instead }: StackOptions): Promise<Stack> {
    const operator = join(folder, 'operator')
    await mkdir(operator, { recursive: true, mode: 0o700 })
    const seed = randomBytes(32)
    await writeFile(join(operator, 'simulator.key'), `${toBase64url(seed)}\n`, { mode: 0o600 })
    await makeSecrets(folder)
    const coordinator = startCoordinator(folder, 0, env)
    const [url, measurement] = await Promise.all([
      readyUrl(coordinator),
      instead === undefined ? measure() : '',
    ])
    const hostile = await HostileCoordinator.before(through === undefined ? url : await through(url))
    const parties = await Promise.all(
      labels.map(
        async (label) => [label, await Party.make(label, join(folder, label), instead?.agent)] as const,
      ),
    )
    const simulator = await signingKeyFromSeed(seed)
    const labelled = new Map(parties)
    return new Stack(
      folder,
      coordinator,
      hostile,
      url,
      simulator.thumbprint,
      measurement,
      labelled,
      env,
      instead,
    )
  }

  party(label: string): Party {
    const party = this.parties.get(label)
    if (party === undefined) throw new Error(`no party ${label}`)
    return party
  }

  /** Starts the coordinator again, on its folder and its port, after it was stopped or killed. */
  async restartCoordinator(): Promise<void> {
    this.coordinator = startCoordinator(this.folder, Number(new URL(this.directUrl).port), this.env)
    await readyUrl(this.coordinator)
  }

  /** Starts the worker pool; `program` in place of the stack's own. */
  startWorker(program = this.instead?.worker ?? programs.worker): void {
    this.worker = start(
      'enclave worker',
      [
        program,
        ...['--coordinator', this.hostile.url],
        ...['--enrolment-file', join(this.folder, 'coordinator/enrolment')],
        ...(this.instead?.workerArgs ?? [
          '--simulator-key-file',
          join(this.folder, 'operator/simulator.key'),
        ]),
      ],
      join(this.folder, 'worker.log'),
    )
  }

  /** Resolves when the worker has so many instances registered, over its whole life: the last of them waits for a run. */
  async registeredInstances(count: number): Promise<void> {
    await this.worker?.line((text) => text.includes('"registered"'), 60_000, count)
  }

  /** A single-use invitation from the operator, as `invite` of the coordinator's command line asks for it. */
  async invite(label: string): Promise<string> {
    const token = (await readFile(join(this.folder, 'coordinator/operator-token'), 'utf8')).trim()
    const answer = await fetch(new URL(routes.invitations, this.directUrl), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ label, validHours: 1 }),
    })
    if (!answer.ok) throw new Error(`the operator could not invite ${label}: ${await answer.text()}`)
    return ((await answer.json()) as { invitation: string }).invitation
  }

  async stop(): Promise<void> {
    await Promise.all([...this.parties.values()].map((party) => party.stopDaemon()))
    await this.worker?.stop()
    await this.hostile.close()
    await this.coordinator.stop()
  }
}

async function makeSecrets(folder: string): Promise<void> {
  const data = join(folder, 'coordinator')
  await mkdir(data, { recursive: true, mode: 0o700 })
  await writeFile(join(data, 'operator-token'), `${toBase64url(randomBytes(32))}\n`, { mode: 0o600 })
  await writeFile(join(data, 'enrolment'), `${toBase64url(randomBytes(32))}\n`, { mode: 0o600 })
}

function startCoordinator(folder: string, port: number, env: Record<string, string>): Running {
  const data = join(folder, 'coordinator')
  return start(
    'coordinator',
    [
      programs.coordinator,
      'serve',
      ...['--data', data, '--port', String(port), '--origin', origin, '--json'],
      ...['--operator-token-file', join(data, 'operator-token'), '--enrolment-file', join(data, 'enrolment')],
    ],
    join(folder, 'coordinator.log'),
    env,
  )
}

async function readyUrl(coordinator: Running): Promise<string> {
  const line = await coordinator.line((text) => text.includes('"url"'), 30_000)
  return (JSON.parse(line) as { url: string }).url
}

async function measure(): Promise<string> {
  const { stdout, stderr, exit } = await run([programs.worker, '--measurement'])
  if (exit !== 0) throw new Error(`the worker could not measure itself: ${stderr}`)
  return stdout.trim()
}
