/** TCB information (Intel PCS API v4): which firmware of a family of platforms is good, and which is not. */
import { z } from 'zod'
import type { PckPlatform } from './pck-certificate.js'
import type { QuotedTee } from './quote.js'
import type { TdReport } from './report.js'
import {
  checkBelongs,
  hexBytes,
  isvLevels,
  jsonTime,
  levelFields,
  parseSignedJson,
  svn16,
} from './signed-json.js'
import type { TcbState } from './tcb-status.js'

const components = z.array(z.looseObject({ svn: z.int().min(0).max(255) })).length(16)

/** Who must have signed the TDX module, and with which attributes. */
const moduleFields = {
  mrsigner: hexBytes(48),
  attributes: hexBytes(8),
  attributesMask: hexBytes(8),
} as const

const headerSchema = z.looseObject({
  id: z.string(),
  version: z.int(),
  issueDate: jsonTime,
  nextUpdate: jsonTime,
  fmspc: hexBytes(6),
  pceId: hexBytes(2),
})

const tcbInfoSchema = headerSchema.extend({
  tcbEvaluationDataNumber: z.int().min(0),
  tdxModule: z.looseObject(moduleFields).optional(),
  tdxModuleIdentities: z
    .array(z.looseObject({ id: z.string(), ...moduleFields, tcbLevels: isvLevels }))
    .max(100)
    .optional(),
  tcbLevels: z
    .array(
      z.looseObject({
        tcb: z.looseObject({
          sgxtcbcomponents: components,
          tdxtcbcomponents: components.optional(),
          pcesvn: svn16,
        }),
        ...levelFields,
      }),
    )
    .max(1000),
})

/** TCB information as signed by Intel. */
export type TcbInfo = Readonly<z.infer<typeof tcbInfoSchema>>
/** Who signed a TDX module. */
export type ModuleSigner = Readonly<z.infer<z.ZodObject<typeof moduleFields>>>

const ids: Readonly<Record<QuotedTee, string>> = { sgx: 'SGX', tdx: 'TDX' }

/**
 * Reads TCB information, which must be for this TEE and platform.
 * @throws AttestationError `COLLATERAL_MISMATCH`, `MALFORMED`.
 */
export function parseTcbInfo(bytes: Uint8Array, tee: QuotedTee, { fmspc, pceId }: PckPlatform): TcbInfo {
  const header = parseSignedJson(bytes, headerSchema, 'tcb_info')
  checkBelongs('tcb_info', {
    id: [header.id, ids[tee]],
    version: [header.version, 3],
    fmspc: [header.fmspc, fmspc],
    pceId: [header.pceId, pceId],
  })
  return parseSignedJson(bytes, tcbInfoSchema, 'tcb_info')
}

/**
 * The state of the platform: that of the first level, from new to old, of which every component is reached. A
 * TD counts as well with the SVNs of its TDX module; those of a module with a version of its own are judged
 * by its identity instead.
 */
export function platformState({ tcbLevels }: TcbInfo, platform: PckPlatform, td: TdReport | null): TcbState {
  const level = tcbLevels.find(
    ({ tcb }) =>
      isReached(tcb.sgxtcbcomponents, platform.components) &&
      tcb.pcesvn <= platform.pceSvn &&
      (td === null || isTdReached(tcb.tdxtcbcomponents, td)),
  )
  return stateOf(level)
}

function isTdReached(level: TcbInfo['tcbLevels'][number]['tcb']['tdxtcbcomponents'], td: TdReport): boolean {
  if (level === undefined) return false
  const from = moduleVersion(td) > 0 ? 2 : 0
  return isReached(level.slice(from), [...td.teeTcbSvn.subarray(from)])
}

function isReached(level: readonly { readonly svn: number }[], svns: readonly number[]): boolean {
  return level.every(({ svn }, n) => svn <= (svns[n] ?? -1))
}

/** The version of the TDX module: 0 before TDX modules had identities. */
export function moduleVersion({ teeTcbSvn }: TdReport): number {
  return teeTcbSvn[1] ?? 0
}

/**
 * The identity of a TD's module with its state. No identity for its version: no level. Null: judged as the
 * platform is.
 */
export function moduleState(
  { tdxModule, tdxModuleIdentities = [] }: TcbInfo,
  td: TdReport,
): { readonly signer: ModuleSigner | undefined; readonly state: TcbState | null } {
  const version = moduleVersion(td)
  if (version === 0) return { signer: tdxModule, state: null }
  const id = `TDX_${version.toString(16).toUpperCase().padStart(2, '0')}`
  const identity = tdxModuleIdentities.find((candidate) => candidate.id === id)
  const level = identity?.tcbLevels.find(({ tcb }) => tcb.isvsvn <= (td.teeTcbSvn[0] ?? 0))
  return { signer: identity ?? tdxModule, state: stateOf(level) }
}

/** The state that a level says; no level: older than every one. */
export function stateOf(level: z.infer<z.ZodObject<typeof levelFields>> | undefined): TcbState {
  if (level === undefined) return { status: null, advisories: [] }
  return { status: level.tcbStatus, advisories: level.advisoryIDs ?? [] }
}
