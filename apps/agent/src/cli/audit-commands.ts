import type { Command } from 'commander'
import { CodedError } from '#libs/canonical'
import type { Agent } from '../agent.js'
import { contractIdFrom } from '../contracts/active-contract.js'
import { exists } from '../durable-file.js'
import { runIdFrom } from '../runs/find-run.js'
import { AgentError } from '../errors.js'
import { hasEnded } from '../runs/await-run.js'
import { judgeReceipt, shownMaterial, type JudgedReceipt } from '../runs/judge-receipt.js'
import { offline, type FiledLog } from '../runs/offline-log.js'
import { readerWithoutHome } from '../runs/reader-without-home.js'
import { readBundle, type FiledReceipt } from '../runs/receipt-bundle.js'
import { addAuditExport, addAuditVerify } from './audit-verify.js'
import type { Frame } from './command-frame.js'
import { givenAnchors, isGiven, type GivenAnchors } from './given-anchors.js'
import { exitCodes } from './exit-codes.js'
import { verdictLines } from './explanation.js'
import type { Session } from './session.js'
import { counted, table } from './table.js'
import type { Answer } from './world.js'

export function addAuditCommands(program: Command, frame: Frame): void {
  program
    .command('receipt')
    .description('check receipts')
    .command('verify <file-or-run>')
    .description(
      'Checks a receipt: signatures, evidence, identities, releases, inclusion, consistency with this agent’s own view of the log,\n' +
        'quorum. Takes a receipt.json that `run result` wrote, or a run. With --offline nobody is asked: the file must hold the log.',
    )
    .option('--offline', 'ask nobody: the file holds all that is needed')
    .option('--origin <name>', 'without an agent: the log’s name')
    .option('--log-key <key>', 'without an agent: the log’s key, 43 characters')
    .option('--party <label=thumbprint...>', 'without an agent: a party whose key you compared')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sealroom receipt verify ./readmissions/receipt.json\n  $ sealroom receipt verify 9be01c\n',
    )
    .action(frame.action<[string, ReceiptOptions]>(verifyOne))
  const audit = program.command('audit').description('check what was done under a contract')
  addAuditVerify(audit, frame)
  addAuditExport(audit, frame)
  audit
    .command('receipts')
    .description('Checks every receipt of a contract, and says which runs have none.')
    .requiredOption('--contract <id>', 'the contract: its id, the beginning of it, or its name')
    .addHelpText('after', '\nExample:\n  $ sealroom audit receipts --contract 4f2a91\n')
    .action(frame.action<[{ contract: string }]>(auditReceipts))
}

interface ReceiptOptions extends GivenAnchors {
  readonly offline?: boolean
}

export async function verifyOne(session: Session, given: string, options: ReceiptOptions): Promise<Answer> {
  if (isGiven(options)) return await verifyWithoutHome(session, given, options)
  const { agent } = await session.agent()
  if (!(await exists(given)))
    return receiptAnswer(
      await judgeReceipt(agent, await shownMaterial(agent, await runIdFrom(agent, given))),
      false,
    )
  const material = await readBundle(agent, given)
  if (options.offline !== true) return receiptAnswer(await judgeReceipt(agent, material), false)
  return receiptAnswer(await judgeReceipt(offline(agent, expectWhole(given, material)), material), true)
}

/** On a machine without an agent: the file and what a person gave are all there is. */
async function verifyWithoutHome(session: Session, path: string, options: ReceiptOptions): Promise<Answer> {
  const { origin, logKey, pinned } = givenAnchors(options, session.world.hardware)
  const material = await readBundle({ config: { log: { origin, logKey } } }, path)
  const coordinatorKey = { kty: 'OKP', crv: 'Ed25519', x: material.log.coordinatorKey } as const
  const reader = await readerWithoutHome({ origin, logKey, coordinatorKey, pinned }, session.world)
  return receiptAnswer(await judgeReceipt(offline(reader, expectWhole(path, material)), material), true)
}

function expectWhole(path: string, { filed }: FiledReceipt): FiledLog {
  if (filed !== null) return filed
  throw new AgentError(
    'USAGE',
    `${path} does not hold the log: check it without --offline, with the coordinator`,
  )
}

function receiptAnswer({ run, verdict }: JudgedReceipt, isOffline: boolean): Answer {
  return {
    json: { run: run.id, offline: isOffline, ...verdict },
    text: [
      `run ${run.id}`,
      ...verdictLines(verdict),
      ...(isOffline
        ? ['whether the log went on from there, and how, a file cannot say: ask the coordinator']
        : []),
    ],
    exit: verdict.ok ? exitCodes.ok : exitCodes.refused,
  }
}

interface Audited {
  readonly run: string
  readonly computation: string
  readonly state: string
  /** `gave nothing`: the receipt holds, and the run ended before the enclave gave its output keys */
  readonly verdict: 'holds' | 'gave nothing' | 'FAILS' | 'no receipt'
  readonly checks: number
  readonly failed: readonly string[]
  readonly simulated: boolean
  /** Which hardware stood behind it. */
  readonly hardware: readonly string[]
}

export async function auditReceipts(session: Session, options: { contract: string }): Promise<Answer> {
  const { agent } = await session.agent()
  const contract = await contractIdFrom(agent, options.contract)
  const { runs } = await agent.client.runs(contract)
  const advance = session.progress('checking receipts')
  const audited: Audited[] = []
  for (const [index, { id, computation, state }] of runs.entries()) {
    audited.push({ run: id, computation, state, ...(await auditOne(agent, id)) })
    advance(index + 1, runs.length)
  }
  const failing = audited.filter(({ verdict }) => verdict === 'FAILS')
  return {
    json: { contract, ok: failing.length === 0, runs: audited },
    text: [
      ...(audited.length === 0
        ? ['no runs yet']
        : table(['run', 'computation', 'state', 'receipt', 'checks'], audited.map(rowOf))),
      ...hardwareLines(audited),
      ...failing.flatMap(({ run, failed }) => [
        '',
        `run ${run}:`,
        ...failed.map((line) => `  FAILED  ${line}`),
      ]),
      '',
      failing.length === 0 ? 'every receipt that there is holds' : `${failing.length} receipts do not hold`,
    ],
    exit: failing.length === 0 ? exitCodes.ok : exitCodes.refused,
  }
}

async function auditOne(agent: Agent, id: string): Promise<Omit<Audited, 'run' | 'computation' | 'state'>> {
  try {
    const { run, verdict } = await judgeReceipt(agent, await shownMaterial(agent, id))
    const gaveNothing = run.outputKeys === null && hasEnded(run.view) && run.view.state !== 'completed'
    const failed = verdict.checks
      .filter(({ ok, check }) => !ok && !(gaveNothing && check === 'output-keys'))
      .map(({ check, expected, seen }) => `${check}: expected ${expected}; seen ${seen}`)
    if (run.receipt === null)
      return { verdict: 'no receipt', checks: 0, failed: [], simulated: false, hardware: [] }
    return {
      verdict: failed.length > 0 ? 'FAILS' : gaveNothing ? 'gave nothing' : 'holds',
      checks: verdict.checks.length,
      failed,
      simulated: verdict.simulated,
      hardware: verdict.hardware,
    }
  } catch (error) {
    if (!(error instanceof CodedError) || error.code === 'COORDINATOR_UNREACHABLE') throw error
    return {
      verdict: 'FAILS',
      checks: 0,
      failed: [`${String(error.code)}: ${error.message}`],
      simulated: false,
      hardware: [],
    }
  }
}

// One line for each machine and build, with the runs that it served.
function hardwareLines(audited: readonly Audited[]): string[] {
  const all = [...new Set(audited.flatMap(({ hardware }) => hardware))]
  return all.flatMap((text) => {
    const served = audited.filter(({ hardware }) => hardware.includes(text)).length
    return ['', `hardware of ${counted(served, 'run')}: ${text}`]
  })
}

function rowOf({ run, computation, state, verdict, checks, simulated }: Audited): string[] {
  return [
    run.slice(0, 12),
    computation,
    state,
    simulated ? `${verdict} (SIMULATED)` : verdict,
    String(checks),
  ]
}
