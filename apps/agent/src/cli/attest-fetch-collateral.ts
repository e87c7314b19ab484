/**
 * `sealroom attest fetch-collateral`: fills a folder with what evidence asks for, on a machine that has internet, or with what a person was
 * given for it.
 */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import {
  collateralAskOf,
  collateralName,
  vendorRoots,
  type Collateral,
  type CpuCollateralAsk,
  type DetectedEvidence,
  type Evidence,
} from '#libs/attestation'
import { secureUrl } from '#libs/client'
import {
  demandNoRollback,
  fetchCollateral,
  vendorHosts,
  type CollateralHosts,
} from '../collateral/fetching.js'
import { CollateralFolder } from '../collateral/folder.js'
import { kindForContracts, readCollateral, readEvidence } from '../attest/read-evidence.js'
import { AgentError } from '../errors.js'
import type { Frame } from './command-frame.js'
import { printable } from './printable.js'
import type { Session } from './session.js'
import { facts } from './table.js'
import type { Answer } from './world.js'

/** What the command is given. */
export interface FetchOptions {
  readonly kind?: string
  readonly from?: string
  readonly into?: string
  readonly amd?: string
  readonly intel?: string
  readonly intelRoot?: string
  readonly issuer?: string
  readonly keySet?: string
}

const fetched = 'sev-snp, tdx, az-snp-vtpm, az-tdx-vtpm, maa-snp, maa-tdx or gcp-cs'

/** Adds the command below `attest`. */
export function addFetchCollateralCommand(attest: Command, frame: Frame): void {
  attest
    .command('fetch-collateral <evidence>')
    .description(
      'Reads which certificates and lists a report or quote asks for, fetches them, and puts them into a folder under the name that an\n' +
        'agent looks for. The file names a chip or a platform; hosts are fixed, or those given here, and never taken from it. Nothing that is\n' +
        'fetched is trusted: every agent verifies it against roots that it holds itself.',
    )
    .option('--kind <kind>', `what the file is, ${fetched}; left out: told from its bytes`)
    .option(
      '--from <folder>',
      'fetch nothing: take the files of this folder (vek, chain, crl; collateral.json), as a provider hands over with its VLEK',
    )
    .option('--into <folder>', 'where to (default: the folder collateral of this home)')
    .option('--amd <origin>', `a mirror of ${vendorHosts.amd}`)
    .option('--intel <origin>', `a mirror of ${vendorHosts.intel}`)
    .option('--intel-root <origin>', `a mirror of ${vendorHosts.intelRoot}`)
    .option('--issuer <url>', 'for a token: the service that it must name, exactly')
    .option('--key-set <url>', 'where that service publishes its keys')
    .addHelpText(
      'after',
      `
Examples:
  $ sealroom attest fetch-collateral report.bin
  $ sealroom attest fetch-collateral quote.bin --into /media/stick/collateral
  $ sealroom attest fetch-collateral report.bin --from provider
  $ sealroom attest fetch-collateral token.jwt --issuer https://sharedeus.eus.attest.azure.net --key-set https://sharedeus.eus.attest.azure.net/certs
`,
    )
    .action(frame.action<[string, FetchOptions]>(fetchCollateralFor))
}

/**
 * Fetches and keeps the collateral of one file.
 * @throws AgentError `USAGE`, `FILE_UNREADABLE`, `COLLATERAL_UNREACHABLE`, `COLLATERAL_OLDER`; AttestationError.
 */
export async function fetchCollateralFor(
  session: Session,
  file: string,
  options: FetchOptions,
): Promise<Answer> {
  const evidence = await readEvidence(file, options.kind)
  const ask = askOf(evidence)
  const folder = new CollateralFolder(resolve(options.into ?? session.home.collateral))
  const collateral =
    options.from === undefined
      ? await fetchCollateral(hostsOf(options), ask, session.world.signal)
      : await givenIn(options.from, { kind: kindForContracts(evidence.kind), bytes: evidence.bytes })
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

function askOf({ kind, bytes }: DetectedEvidence): CpuCollateralAsk {
  const ask = collateralAskOf({ kind: kindForContracts(kind), bytes })
  if (ask !== null) return ask
  throw new AgentError('USAGE', `evidence of ${kind} carries all that it needs; expected ${fetched}`)
}

async function givenIn(folder: string, evidence: Pick<Evidence, 'kind' | 'bytes'>): Promise<Collateral> {
  const given = await readCollateral(folder, evidence)
  if (Object.keys(given).length > 0) return given
  throw new AgentError(
    'USAGE',
    `${folder} holds no collateral; expected vek, chain and crl, collateral.json, or jwks`,
  )
}

function hostsOf({ amd, intel, intelRoot, issuer, keySet }: FetchOptions): CollateralHosts {
  const host = (given: string | undefined, own: string) =>
    given === undefined ? own : secureUrl(given).origin
  if ((issuer === undefined) !== (keySet === undefined))
    throw new AgentError('USAGE', 'give --issuer and --key-set together; a key set is that of one service')
  const given = issuer === undefined || keySet === undefined ? {} : { [issuer]: secureUrl(keySet).href }
  return {
    keySets: { ...vendorHosts.keySets, ...given },
    amd: host(amd, vendorHosts.amd),
    intel: host(intel, vendorHosts.intel),
    intelRoot: host(intelRoot, vendorHosts.intelRoot),
    nvidia: vendorHosts.nvidia,
  }
}

function askText(ask: CpuCollateralAsk): string {
  if (ask.kind === 'jwks') return `keys of ${printable(ask.unverifiedIssuer)}, as the token names its issuer`
  if (ask.kind === 'tdx')
    return `TDX platforms of family ${ask.fmspc}, certified by Intel's ${ask.authority} CA`
  const whose = ask.key === 'VLEK' ? 'the provider' : `chip ${ask.chipId.slice(0, 16)}…`
  return `SEV-SNP ${ask.generation ?? 'of a processor that is not named'}, ${ask.key} of ${whose} at TCB ${ask.reportedTcb}`
}
