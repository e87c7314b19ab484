/** `sealroom audit verify` and `audit export`: the whole record of a contract, live or from a file. */
import type { Command } from 'commander'
import type { Agent } from '../agent.js'
import { auditRecord, type AuditReport } from '../audit/audit.js'
import { readBundleFile, writeBundle, type AuditBundle } from '../audit/bundle.js'
import { collectMaterial } from '../audit/collect.js'
import type { AuditAnchors } from '../audit/material.js'
import { contractIdFrom } from '../contracts/active-contract.js'
import { readBounded } from '../durable-file.js'
import { AgentError } from '../errors.js'
import { spaces } from '../store/records.js'
import { pinnedParties } from '../trust/known-parties.js'
import { logView } from '../trust/log-follower.js'
import { auditLines } from './audit-report.js'
import type { Frame } from './command-frame.js'
import { givenAnchors, isGiven, type GivenAnchors } from './given-anchors.js'
import { exitCodes, type ExitCode } from './exit-codes.js'
import type { Session } from './session.js'
import type { Answer } from './world.js'

interface VerifyOptions extends GivenAnchors {
  readonly contract?: string
  readonly bundle?: string
  readonly checkpoint?: readonly string[]
}

export function addAuditVerify(audit: Command, frame: Frame): void {
  audit
    .command('verify')
    .summary('check the whole record of a contract')
    .description(
      'Checks every entry of a contract’s record: signature and authority, one log that all witnesses saw, quorum, the order of\n' +
        'every run, Spends and limits, receipts and outputs. Asks the coordinator, or with --bundle reads an exported file and\n' +
        'asks nobody. Names each entry that breaks a rule, and what could not be established.',
    )
    .option(
      '--contract <id>',
      'the contract: its id, the beginning of it, or its name; all of this party’s if left out',
    )
    .option('--bundle <file>', 'a file that `audit export` wrote; nothing is asked over the network')
    .option('--origin <name>', 'with --bundle, without an agent: the log’s name')
    .option('--log-key <key>', 'with --bundle, without an agent: the log’s key, 43 characters')
    .option(
      '--party <label=thumbprint...>',
      'with --bundle, without an agent: a party whose key you compared',
    )
    .option(
      '--checkpoint <file...>',
      'a signed checkpoint that somebody else was shown, to be held against the log',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ sealroom audit verify --contract ward-readmissions\n  $ sealroom audit verify --bundle record.jsonl\n' +
        '  $ sealroom audit verify --bundle record.jsonl --origin log.example.org/1 --log-key 9f… --party north=0J4k…\n',
    )
    .action(frame.action<[VerifyOptions]>(auditVerify))
}

export function addAuditExport(audit: Command, frame: Frame): void {
  audit
    .command('export')
    .summary('write the whole record of a contract into one file')
    .description(
      'Writes all leaves, checkpoints and cosignatures, and all bodies that this party is shown, for `audit verify --bundle`.',
    )
    .requiredOption('--contract <id>', 'the contract: its id, the beginning of it, or its name')
    .requiredOption('--out <file>', 'the file to write; it must not be there yet')
    .addHelpText(
      'after',
      '\nExample:\n  $ sealroom audit export --contract ward-readmissions --out record.jsonl\n',
    )
    .action(frame.action<[{ contract: string; out: string }]>(auditExport))
}

export async function auditVerify(session: Session, options: VerifyOptions): Promise<Answer> {
  const seen = await Promise.all((options.checkpoint ?? []).map(readNote))
  const progress = session.progress('checking entries')
  const reports: AuditReport[] = []
  if (options.bundle !== undefined) {
    const bundle = await readBundleFile(options.bundle)
    const anchors = await anchorsFor(session, bundle, options)
    reports.push(await auditRecord(bundle.material, withSeen(anchors, seen), progress))
  } else {
    const { agent } = await session.agent()
    for (const contract of await contractsMeant(agent, options.contract)) {
      const material = await collectMaterial(agent, contract, session.progress('reading runs'))
      reports.push(await auditRecord(material, withSeen(await ownAnchors(agent), seen), progress))
    }
  }
  const [holds, established] = [
    reports.every((report) => report.holds),
    reports.every((report) => report.established),
  ]
  return {
    json: {
      ok: holds && established,
      holds,
      established,
      offline: options.bundle !== undefined,
      contracts: reports,
    },
    text: reports.flatMap((report) => auditLines(report, options.bundle !== undefined)),
    exit: exitOf(holds, established),
  }
}

export async function auditExport(
  session: Session,
  options: { contract: string; out: string },
): Promise<Answer> {
  const { agent } = await session.agent()
  const contract = await contractIdFrom(agent, options.contract)
  const material = await collectMaterial(agent, contract, session.progress('reading runs'))
  const { origin, logKey, coordinatorKey } = agent.config.log
  const exportedAt = new Date(agent.now()).toISOString()
  const log = { origin, key: logKey, coordinatorKey }
  const { party } = agent.config
  await writeBundle(options.out, { sealroom: 'audit-bundle/v1', log, contract, party, exportedAt }, material)
  const { leaves, statements, checkpoints } = material
  return {
    json: {
      contract,
      file: options.out,
      leaves: leaves.length,
      statements: statements.length,
      checkpoints: checkpoints.length,
    },
    text: [
      `wrote ${options.out}: ${leaves.length} leaves, ${statements.length} statements, ${checkpoints.length} checkpoints`,
    ],
  }
}

function exitOf(holds: boolean, established: boolean): ExitCode {
  if (!holds) return exitCodes.refused
  return established ? exitCodes.ok : exitCodes.undetermined
}

async function contractsMeant(agent: Agent, given: string | undefined): Promise<readonly string[]> {
  if (given !== undefined) return [await contractIdFrom(agent, given)]
  const { contracts } = await agent.client.contracts()
  if (contracts.length === 0) throw new AgentError('CONTRACT_UNKNOWN', 'this party has no contract to audit')
  return contracts.map(({ id }) => id)
}

async function anchorsFor(
  session: Session,
  { header }: AuditBundle,
  options: VerifyOptions,
): Promise<AuditAnchors> {
  if (isGiven(options)) return givenAnchors(options, session.world.hardware)
  const { agent } = await session.agent()
  const anchors = await ownAnchors(agent)
  if (header.log.origin !== anchors.origin || header.log.key.x !== anchors.logKey.x)
    throw new AgentError(
      'USAGE',
      `${options.bundle ?? ''} is of log ${header.log.origin} under ${header.log.key.x}; this agent has pinned ${anchors.origin} under ${anchors.logKey.x}`,
    )
  const leaves = await agent.store.list(spaces.leaves)
  return { ...anchors, ownPlaces: new Map(leaves.map(([digest, { index }]) => [digest, index])) }
}

/** What this agent's home knows: its log, the pins of its people, and the checkpoint that it stands at. */
async function ownAnchors(agent: Agent): Promise<AuditAnchors> {
  const pinned = [...(await pinnedParties(agent))].map(([party, { label }]) => [party, label] as const)
  const { checkpoint } = await logView(agent)
  const { origin, logKey } = agent.config.log
  return {
    origin,
    logKey,
    pinned: new Map([...pinned, [agent.config.party, agent.config.name]]),
    seen: checkpoint === null ? [] : [checkpoint.note],
    hardware: agent.appraisal,
  }
}

function withSeen(anchors: AuditAnchors, seen: readonly string[]): AuditAnchors {
  return { ...anchors, seen: [...anchors.seen, ...seen] }
}

async function readNote(path: string): Promise<string> {
  return new TextDecoder().decode(await readBounded(path, 131_072))
}
