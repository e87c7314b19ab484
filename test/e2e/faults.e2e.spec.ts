/** What goes wrong in the field, over real processes: each fault is said clearly, gives nothing twice, and work goes on. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { offerSchema } from '#libs/protocol'
import { unverifiedStatement } from '#libs/canonical'
import { text } from '../../demo/src/answers.js'
import { programs, run, start, type Running } from '../../demo/src/stack/processes.js'
import type { Party, Said } from '../../demo/src/stack/party.js'
import { Carrier, honest, type Habit } from './carrier.js'
import { Collaboration, sealSmall } from './collaboration.js'
import { Killing, type Computation } from './kills.js'

let study: Collaboration
let begun: Collaboration | null = null
let carrier: Carrier
let killing: Killing

const people: Computation = { name: 'people_by_sex', approver: null, parameters: [] }

beforeAll(async () => {
  study = begun = await Collaboration.begin({
    env: { SEALROOM_WORKER_SILENT_SECONDS: '4' },
    through: async (url) => {
      carrier = await Carrier.before(url)
      return carrier.url
    },
  })
  killing = await Killing.among(study, carrier)
}, 120_000)

afterAll(async () => {
  await begun?.end()
  await carrier.close()
})

const party = (label: string): Party => study.stack.party(label)

interface Refused {
  readonly code: string
  readonly message: string
  readonly reasons: readonly { rule: string; expected: string; seen: string; who: string }[]
  readonly problems: readonly string[]
}

const refusal = ({ answer }: Said) => (answer['error'] ?? {}) as Refused

function expectReasons({ reasons }: Refused, rule: string): void {
  expect(reasons.map((reason) => reason.rule)).toContain(rule)
  for (const reason of reasons)
    for (const field of ['expected', 'seen', 'who'] as const) expect(reason[field]).toMatch(/\S/)
}

describe('an upload that is cut off', () => {
  it('goes on from wherever it was killed, and there is one Manifest', async () => {
    const file = party('laboratory').file('labs.csv')
    const rows = Array.from(
      { length: 4000 },
      (_, at) => `${1 + (at % 40)},${at},${at % 2 === 0 ? 'hdl' : 'fib4'},${at}.5`,
    )
    await writeFile(file, ['id,days,test,value', ...rows, ''].join('\n'))
    const words = ['dataset', 'seal', file, '--contract', study.contract, '--dataset', 'labs'] as const
    for (const share of [0, 0.01, 0.5, 0.999, 1]) {
      const sealing = party('laboratory').begin(...words)
      carrier.habit = async (message, send) => {
        if (message.method !== 'PATCH') return await send()
        // The answer never comes: the command is killed in the middle of its message, or right after it.
        await Promise.all([
          share === 1 ? send() : send(Math.floor(share * message.body.length)).catch(() => null),
          sealing.kill(),
        ])
        return null
      }
      expect(await sealing.ended, 'the command was not killed').toBe(-1)
    }
    carrier.habit = honest
    const done = await party('laboratory').must(...words)
    expect(done).toMatchObject({ sequence: 1, rows: 4000 })
    expect(new Set(carrier.posted.filter(({ type }) => type === 'manifest').map(({ jws }) => jws)).size).toBe(
      1,
    )
    await sealSmall(study, { except: ['laboratory'] })
  }, 60_000)
})

let byFeedAlone: ReturnType<Killing['run']>

describe('a program that cannot start', () => {
  // A run by the feed alone takes long, as each step waits for the next look at it; what needs no run is tried meanwhile.
  beforeAll(() => {
    carrier.loseWakeUps()
    byFeedAlone = killing.run(null, people)
    byFeedAlone.catch(() => undefined)
  })

  const coordinator = (...words: readonly string[]) =>
    run([programs.coordinator, 'serve', '--origin', 'log.example/1', ...words])

  it('is a second daemon on one store', async () => {
    const second = await party('insurer').sealroom('daemon')
    expect(second.exit).toBe(5)
    expect(refusal(second)).toMatchObject({ code: 'STORE_IN_USE' })
    expect(refusal(second).message).toContain('daemon')
  })

  it('is a coordinator on a port in use', async () => {
    const port = new URL(study.stack.directUrl).port
    const { exit, stderr } = await coordinator('--data', join(study.stack.folder, 'another'), '--port', port)
    expect(exit).toBe(2)
    expect(stderr).toMatch(new RegExp(`^PORT_IN_USE: port ${port} .*--port`))
  })

  it('is a second coordinator on one data folder', async () => {
    const { exit, stderr } = await coordinator(
      '--data',
      join(study.stack.folder, 'coordinator'),
      '--port',
      '0',
    )
    expect(exit).toBe(2)
    expect(stderr).toMatch(/^DATA_FOLDER_IN_USE: .*--data/)
  })

  it('is a coordinator that would speak plain HTTP to a network', async () => {
    const folder = join(study.stack.folder, 'exposed')
    const { exit, stderr } = await coordinator('--data', folder, '--port', '0', '--host', '0.0.0.0')
    expect(exit).toBe(2)
    expect(stderr).toMatch(/^PLAIN_HTTP_OFF_LOOPBACK: .*--behind-tls-proxy/)
    expect(existsSync(folder)).toBe(false)
  })
})

describe('plain HTTP off loopback', () => {
  let server: Server
  let connections = 0
  let url = ''
  beforeAll(async () => {
    server = createServer((socket) => {
      connections++
      socket.once('data', () => socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n'))
      socket.once('end', () => socket.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    // Names this machine on Linux, and may name another elsewhere: so it is off loopback, and yet this test hears it.
    url = `http://0.0.0.0:${(server.address() as AddressInfo).port}`
    expect((await fetch(url, { headers: { connection: 'close' } })).status).toBe(204)
    connections = 0
  })
  afterAll(async () => {
    server.close()
    await once(server, 'close')
  })

  it('is refused by an agent before it sends anything', async () => {
    const home = ['--home', join(study.stack.folder, 'nobody')]
    const passphrase = ['--passphrase-file', party('institute').file('passphrase')]
    const words = ['--json', 'init', '--name', 'nobody', '--coordinator', url]
    const { exit, stderr, stdout } = await run([programs.sealroom, ...home, ...passphrase, ...words])
    expect(exit).toBe(2)
    expect(stdout + stderr).toContain('URL_INSECURE')
    expect(connections).toBe(0)
  })

  it('is refused by a worker before it sends anything', async () => {
    const { exit, stderr } = await run([
      programs.worker,
      ...['--coordinator', url, '--json'],
      ...['--enrolment-file', join(study.stack.folder, 'coordinator/enrolment')],
      ...['--simulator-key-file', join(study.stack.folder, 'operator/simulator.key')],
    ])
    expect(exit).not.toBe(0)
    expect(JSON.parse(stderr)).toMatchObject({ code: 'URL_INSECURE' })
    expect(connections).toBe(0)
  })
})

describe('a file that cannot be sealed', () => {
  const check = async (file: string) =>
    await party('laboratory').sealroom(
      'dataset',
      'check',
      file,
      '--contract',
      study.contract,
      '--dataset',
      'labs',
    )
  const header = 'id,days,test,value\n'
  const good = '1,1,hdl,40.5\n'

  it.each([
    ['that is not there', 'absent.csv', /cannot be read: .*no such file/i],
    ['that is a folder', 'home', /is not a regular file/],
  ])('is one %s', async (_what, name, expected) => {
    const said = await check(party('laboratory').file(name))
    expect(said.exit).toBe(2)
    expect(refusal(said).code).toBe('FILE_UNREADABLE')
    expect(refusal(said).message).toMatch(expected)
  })

  const csv: readonly [what: string, content: string | Buffer, finding: Record<string, unknown>][] = [
    ['of no bytes', '', { rule: 'FILE_EMPTY' }],
    ['of no rows', header, { rule: 'NO_ROWS' }],
    [
      'with a huge row',
      `${header}${good}2,1,${'x'.repeat(24 * 2 ** 20)},1.5\n`,
      { rule: 'LINE_TOO_LONG', line: 3 },
    ],
    [
      'with a word for a number',
      `${header}${good}2,1,hdl,much\n`,
      { rule: 'TYPE', column: 'value', row: 2, line: 3, seen: 'much' },
    ],
    [
      'that is not UTF-8',
      Buffer.concat([Buffer.from(`${header}${good}2,1,`), Buffer.from([0xff, 0xfe]), Buffer.from(',1.5\n')]),
      { rule: 'ENCODING_INVALID', line: 3 },
    ],
    ['that only begins as Parquet', `PAR1${header}${good}`, { rule: 'FILE_UNREADABLE' }],
  ]
  it.each(csv)('is one %s', async (_what, content, finding) => {
    const file = party('laboratory').file('wrong')
    await writeFile(file, content)
    const said = await check(file)
    expect(said.exit).toBe(1)
    const { findings } = said.answer['report'] as { findings: readonly Record<string, unknown>[] }
    expect(findings[0]).toMatchObject(finding)
    expect(findings[0]?.['expected']).toMatch(/\S/)
  })

  it('is Parquet of another type, or cut off', async () => {
    const file = party('laboratory').file('wrong.parquet')
    const database = await DuckDBInstance.create(':memory:')
    const connection = await database.connect()
    await connection.run(
      `COPY (SELECT 1 AS id, 1 AS days, 'hdl' AS test, DATE '2026-01-01' AS value) TO '${file}' (FORMAT parquet)`,
    )
    connection.closeSync()
    const typed = await check(file)
    expect(typed.exit).toBe(1)
    const report = typed.answer['report'] as { findings: readonly unknown[] }
    expect(report.findings).toMatchObject([{ rule: 'TYPE', column: 'value', seen: 'a column of type DATE' }])
    const whole = await readFile(file)
    await writeFile(file, whole.subarray(0, whole.length - 20))
    const cut = await check(file)
    expect(cut.exit).toBe(1)
    expect(cut.answer['report']).toMatchObject({ findings: [{ rule: 'FILE_UNREADABLE' }] })
  })
})

describe('a contract with mistakes', () => {
  it('is told all of them, each with line, field, expected and seen', async () => {
    const institute = party('institute')
    const yaml = (await readFile(institute.file('study.yaml'), 'utf8'))
      .replace('signatories: [registry,', 'signatories: [registrar,')
      .replace('recipients: [institute]', 'recipients: [institut]')
      .replace('maximumAgeSeconds: 300', 'maximumAgeSeconds: -1')
      .replace('limit: 2', 'limits: 2')
    await writeFile(institute.file('wrong.yaml'), yaml)
    const said = await institute.sealroom('contract', 'check', institute.file('wrong.yaml'))
    expect(said.exit).toBe(1)
    const lineOf = (words: string) => yaml.split('\n').findIndex((line) => line.includes(words)) + 1
    const problems = said.answer['problems'] as readonly Record<string, unknown>[]
    for (const words of ['maximumAgeSeconds: -1', 'limits: 2']) {
      const problem = problems.find(({ line }) => line === lineOf(words))
      expect(problem, `${words} in ${JSON.stringify(problems)}`).toBeDefined()
      for (const field of ['path', 'expected', 'seen']) expect(problem?.[field]).toMatch(/\S/)
    }
  })
})

describe('a run whose wake-ups were lost', () => {
  it('completes by the feed alone', async () => {
    const { state } = await byFeedAlone
    carrier.wakeUps = true
    expect(state).toBe('completed')
  }, 90_000)
})

describe('news that comes twice, late, in another order or not at all', () => {
  it('gives nothing twice, and the run completes', async () => {
    study.stack.hostile.tell(repeatedNews())
    const { run: id, state } = await killing.run(null, people, troubled())
    study.stack.hostile.tell(null)
    expect(state).toBe('completed')
    const counts = await study.counts(id)
    expect(counts).toMatchObject({
      accept: 3,
      spend: 3,
      'key-release': 3,
      start: 1,
      receipt: 1,
      'output-keys': 1,
    })
    // A worker that hears no answer cannot see for itself what was recorded, so it sends the same again.
    const sent = carrier.posted.filter(({ run, type }) => run === id && type === 'receipt')
    expect(sent.length, 'nothing was sent twice: the network was not bad enough').toBeGreaterThan(1)
    expect(new Set(sent.map(({ jws }) => jws)).size).toBe(1)
  }, 60_000)
})

describe('a refusal', () => {
  it('says which rule, what was expected, what was seen, and who can change it', async () => {
    const asked = await study.ask('laboratory', people.name)
    expect(asked.exit).toBe(1)
    expectReasons(refusal(asked), 'requester.entitled')
  })
})

describe('a process that is killed', () => {
  it.each([
    ['an owner’s daemon after its Spend', { role: 'insurer', step: 'spend' }, 'completed'],
    ['the coordinator at the evidence', { role: 'coordinator', step: 'evidence' }, 'completed'],
    ['the worker after it started', { role: 'worker', step: 'start' }, 'lost'],
  ] as const)(
    'is %s: nothing is given twice, and the next run completes',
    async (_what, kill, end) => {
      expect((await killing.run(kill, people)).state).toBe(end)
      expect((await killing.run(null, people)).state).toBe('completed')
    },
    60_000,
  )
})

describe('a restored owner', () => {
  it('takes its count over from the log, and does nothing before every other owner has cosigned', async () => {
    const registry = party('registry')
    await registry.must('backup', registry.file('registry.backup'))
    const deaths: Computation = { name: 'death_rate_by_weight', approver: null, parameters: [] }
    expect((await killing.run(null, deaths)).state).toBe('completed')
    await registry.stopDaemon()
    await party('insurer').stopDaemon()
    await rename(registry.home, registry.file('lost-home'))
    await rename(registry.file('daemon.unlock'), registry.file('lost.unlock'))
    await registry.must('restore', registry.file('registry.backup'))
    await registry.startDaemon()
    const run = text((await study.ask('institute', deaths.name)).answer['run'])
    await study.overheard((path, answer) => {
      if (path !== `/v1/runs/${run}`) return false
      const { waitingFor } = answer as { waitingFor: readonly { reason: string }[] }
      return waitingFor.some(({ reason }) => /cosigned since .* by .*insurer/.test(reason))
    }, 20_000)
    expect(carrier.posted.filter((one) => one.run === run).map(({ type }) => type)).toEqual([])
    await party('insurer').startDaemon()
    expect(await study.endOf(run, 30_000)).toBe('completed')
    await registry.daemon?.line((line) => line.includes('spend adopted from the log'), 1000)
    killing.take(await study.view(run))
    const third = await study.ask('institute', deaths.name)
    expect(third.exit).toBe(1)
    expectReasons(refusal(third), 'limit.runs')
  }, 90_000)
})

describe('a machine without bubblewrap', () => {
  it('is told to whoever starts the worker, and stands in every Offer', async () => {
    await study.stack.worker?.stop()
    const worker = await workerWithoutBubblewrap()
    try {
      expect(await worker.line((line) => line.startsWith('sandbox'), 20_000)).toMatch(
        /^sandbox process: bubblewrap is missing.*install it/,
      )
      const { run: id, state } = await killing.run(null, people)
      expect(state).toBe('completed')
      const offer = carrier.posted.find((one) => one.type === 'offer' && one.run === id)
      const { sandbox } = offerSchema.parse(unverifiedStatement(offer?.jws ?? '').payload)
      expect(sandbox).toBe('process')
    } finally {
      await worker.kill()
      study.stack.startWorker()
    }
  }, 60_000)
})

/** Every statement arrives twice, its first answer is lost, and every second message is overtaken by the next. */
function troubled(): Habit {
  let count = 0
  let pass: () => void = () => undefined
  const answered = new Set<string>()
  return async ({ posted }, send) => {
    pass()
    if (count++ % 2 === 0)
      await new Promise<void>((resolve) => {
        pass = resolve
        setTimeout(resolve, 50)
      })
    const answer = await send()
    if (posted === null || posted.type === 'run-request') return answer
    await send()
    const isFirst = !answered.has(posted.jws)
    answered.add(posted.jws)
    return isFirst ? null : answer
  }
}

/** Pages of the feed are told twice over and backwards, and every second view of a run is the one before. */
function repeatedNews() {
  const before = new Map<string, unknown>()
  let count = 0
  return ({ path, asker }: { path: string; asker: string | null }, answer: unknown): unknown => {
    if (path.startsWith('/v1/events')) {
      const { events, next } = answer as { events: readonly unknown[]; next: number }
      return { events: [...events, ...events.toReversed()].slice(0, 1000), next }
    }
    if (!/^\/v1\/runs\/[0-9a-f]{64}$/.test(path)) return answer
    const key = `${path} ${asker ?? ''}`
    const stale = before.get(key) ?? answer
    before.set(key, answer)
    return count++ % 2 === 0 ? stale : answer
  }
}

/** The worker on a machine that has node and prlimit and nothing else, made of this one. */
async function workerWithoutBubblewrap(): Promise<Running> {
  const { folder, hostile } = study.stack
  const tools = join(folder, 'tools')
  await mkdir(tools)
  const words = [
    programs.worker,
    ...['--coordinator', hostile.url],
    ...['--enrolment-file', join(folder, 'coordinator/enrolment')],
    ...['--simulator-key-file', join(folder, 'operator/simulator.key')],
  ]
  const log = join(folder, 'worker-bare.log')
  const bubblewrap = '/usr/bin/bwrap'
  if (!existsSync(bubblewrap)) return start('worker', words, log)
  const kept = [process.execPath, '/usr/bin/prlimit'].flatMap((path) => ['--ro-bind', path, path])
  const hidden = ['--dev-bind', '/', '/', '--bind', tools, '/usr/bin', ...kept]
  return start(
    'worker without bubblewrap',
    [...hidden, '--', process.execPath, ...words],
    log,
    {},
    bubblewrap,
  )
}
