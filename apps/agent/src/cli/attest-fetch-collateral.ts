/** `sealroom attest fetch-collateral`: fills a folder with what evidence asks for, on a machine that has internet. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import {
  collateralAskOf,
  collateralName,
  vendorRoots,
  type CollateralAsk,
  type EvidenceKind,
} from '#libs/attestation'
import { secureUrl } from '#libs/client'
import {
  demandNoRollback,
  fetchCollateral,
  vendorHosts,
  type CollateralHosts,
} from '../collateral/fetching.js'
import { CollateralFolder } from '../collateral/folder.js'
import { readBounded } from '../durable-file.js'
import { AgentError } from '../errors.js'
import type { Frame } from './command-frame.js'
import type { Session } from './session.js'
import { facts } from './table.js'
import type { Answer } from './world.js'

/** What the command is given. */
export interface FetchOptions {
  readonly kind: string
  readonly into?: string
  readonly amd?: string
  readonly intel?: string
  readonly intelRoot?: string
}

const maximumEvidenceBytes = 1_048_576
const fetched: readonly EvidenceKind[] = ['sev-snp', 'tdx']

/** Adds the command below `attest`. */
export function addFetchCollateralCommand(attest: Command, frame: Frame): void {
  attest
    .command('fetch-collateral <evidence>')
    .description(
      'Reads which certificates and lists a report or quote asks for, fetches them, and puts them into a folder under the name that an\n' +
        'agent looks for. The file names a chip or a platform; hosts are fixed, or those given here, and never taken from it. Nothing that is\n' +
        'fetched is trusted: every agent verifies it against roots that it holds itself.',
    )
    .requiredOption('--kind <kind>', `what the file is: ${fetched.join(' or ')}`)
    .option('--into <folder>', 'where to (default: the folder collateral of this home)')
    .option('--amd <origin>', `a mirror of ${vendorHosts.amd}`)
    .option('--intel <origin>', `a mirror of ${vendorHosts.intel}`)
    .option('--intel-root <origin>', `a mirror of ${vendorHosts.intelRoot}`)
    .addHelpText(
      'after',
      `
Examples:
  $ sealroom attest fetch-collateral report.bin --kind sev-snp
  $ sealroom attest fetch-collateral quote.bin --kind tdx --into /media/stick/collateral
`,
    )
    .action(frame.action<[string, FetchOptions]>(fetchCollateralFor))
}

/** Fetches and keeps the collateral of one file. */
export async function fetchCollateralFor(
  session: Session,
  file: string,
  options: FetchOptions,
): Promise<Answer> {
  const ask = askIn(options.kind, await readBounded(file, maximumEvidenceBytes))
  const folder = new CollateralFolder(resolve(options.into ?? session.home.collateral))
  const collateral = await fetchCollateral(hostsOf(options), ask, session.world.signal)
  const trust = { at: session.world.now(), roots: vendorRoots }
  demandNoRollback(ask, await folder.find(ask), collateral, trust)
  const path = await folder.keep(ask, collateral)
  const files = Object.entries(collateral).map(([name, bytes]) => ({ name, bytes: bytes.length }))
  return {
    json: { ask: collateralName(ask), path, files },
    text: facts([
      ['asks for', askText(ask)],
      ['kept in', path],
      ...files.map(({ name, bytes }): [string, string] => [name, `${bytes} bytes`]),
    ]),
  }
}

function askIn(kind: string, bytes: Uint8Array): CollateralAsk {
  const known = fetched.find((name) => name === kind)
  const ask = known === undefined ? null : collateralAskOf({ kind: known, bytes })
  if (ask !== null) return ask
  throw new AgentError(
    'USAGE',
    `--kind is ${JSON.stringify(kind)}; collateral is fetched for ${fetched.join(' and ')}`,
  )
}

function hostsOf({ amd, intel, intelRoot }: FetchOptions): CollateralHosts {
  const host = (given: string | undefined, own: string) =>
    given === undefined ? own : secureUrl(given).origin
  return {
    amd: host(amd, vendorHosts.amd),
    intel: host(intel, vendorHosts.intel),
    intelRoot: host(intelRoot, vendorHosts.intelRoot),
  }
}

function askText(ask: CollateralAsk): string {
  if (ask.kind === 'tdx')
    return `TDX platforms of family ${ask.fmspc}, certified by Intel's ${ask.authority} CA`
  const whose = ask.key === 'VLEK' ? 'the provider' : `chip ${ask.chipId.slice(0, 16)}…`
  return `SEV-SNP ${ask.generation ?? 'of a processor that is not named'}, ${ask.key} of ${whose} at TCB ${ask.reportedTcb}`
}
