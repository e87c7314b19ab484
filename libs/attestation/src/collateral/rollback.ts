/**
 * Whether collateral that is offered takes back what is known already. Lists and TCB information stay valid for weeks after newer ones name a
 * revoked key or an outdated firmware: whoever shows the older ones hides that. Guards against it only for what was seen once, and as long
 * as that is valid; whoever never saw the newer one cannot know of it.
 */
import { verifyIntelList, verifyTextSignature, type TrustAnchors } from '../dcap/chains.node.js'
import { completeCollateral } from '../dcap/collateral.js'
import { intelRoots } from '../dcap/roots.js'
import { issueDateOf } from '../dcap/signed-json.js'
import { AttestationError } from '../errors.js'
import type { Collateral } from '../evidence.js'
import { verifyAmdLists } from '../sev-snp/authenticate.js'
import { amdRoots, type AmdRoots } from '../sev-snp/generations.js'
import type { CollateralAsk } from './ask.js'

/** The roots under which collateral counts as genuine. */
export interface VendorRoots {
  readonly amd: AmdRoots
  readonly intel: readonly string[]
}

/** The vendors' own, pinned in code. */
export const vendorRoots: VendorRoots = { amd: amdRoots, intel: intelRoots }

/** For which time, in milliseconds, and under which roots. */
export interface RollbackTrust {
  readonly at: number
  readonly roots: VendorRoots
}

/**
 * The files of `known` that are genuine and current, while `offered` has an older one in their place, or one that is not
 * genuine: otherwise rubbish would make room for the older one. Empty: nothing is lost by the offer.
 */
export function rolledBackFiles(
  kind: CollateralAsk['kind'],
  known: Collateral,
  offered: Collateral,
  trust: RollbackTrust,
): readonly string[] {
  const files = filesOf[kind]
  return Object.entries(files).flatMap(([name, dateIn]) => {
    const [before, after] = [known, offered].map((collateral) => dateOf(() => dateIn(collateral, trust)))
    return before !== undefined && (after === undefined || after < before) ? [name] : []
  })
}

/** When the vendor made a file, in milliseconds; undefined where it is missing. @throws AttestationError where it is not genuine. */
type DateIn = (collateral: Collateral, trust: RollbackTrust) => number | undefined

const amdFiles: Readonly<Record<string, DateIn>> = {
  crl: ({ vek, chain, crl }, { at, roots }) => {
    if (vek === undefined || chain === undefined || crl === undefined) return undefined
    const lists = verifyAmdLists({ vek, chain, crl }, { at, roots: roots.amd })
    return Math.max(...lists.map(({ validity }) => validity.from))
  },
}

const intelFiles: Readonly<Record<string, DateIn>> = {
  tcb_info: textDate('tcb_info'),
  qe_identity: textDate('qe_identity'),
  root_ca_crl: listDate('root_ca_crl'),
  pck_crl: listDate('pck_crl'),
}

const filesOf: Readonly<Record<CollateralAsk['kind'], Readonly<Record<string, DateIn>>>> = {
  'sev-snp': amdFiles,
  tdx: intelFiles,
  // A key set has no date and no signature: the contract names the keys in it that count.
  jwks: {},
  // A manifest is of one version for good, and nothing newer takes its place.
  'gpu-manifest': {},
}

function textDate(name: 'tcb_info' | 'qe_identity'): DateIn {
  return (collateral, trust) => {
    const files = completeCollateral(collateral)
    const signed = {
      text: files[name],
      signature: files[`${name}_signature`],
      issuerChain: files[`${name}_issuer_chain`],
    }
    verifyTextSignature(signed, anchorsOf(trust), name)
    return issueDateOf(files[name], name)
  }
}

function listDate(name: 'root_ca_crl' | 'pck_crl'): DateIn {
  return (collateral, trust) => {
    const files = completeCollateral(collateral)
    return verifyIntelList(files[name], files.pck_crl_issuer_chain, anchorsOf(trust), name).validity.from
  }
}

function anchorsOf({ at, roots }: RollbackTrust): TrustAnchors {
  return { at, roots: roots.intel }
}

function dateOf(read: () => number | undefined): number | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof AttestationError) return undefined
    throw error
  }
}
