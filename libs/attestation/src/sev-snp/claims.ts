/** What an authentic report says, as JSON by names of this project: for appraisal, inspection and records. */
import { z } from 'zod'
import { toHex } from '#libs/canonical'
import type { AuthenticSnpReport } from './authenticate.js'
import { readGuestPolicy, readPlatformInfo } from './flags.js'
import { generations } from './generations.js'
import { tcbComponents, type Tcb } from './tcb.js'

const hex = (bytes: number) => z.string().length(2 * bytes)
const tcb = z.record(z.enum(tcbComponents), z.int().min(0).max(255))
const flags = <Name extends string>(...names: readonly Name[]) =>
  z.strictObject(Object.fromEntries(names.map((name) => [name, z.boolean()])) as Record<Name, z.ZodBoolean>)

/** The form of claims. */
export const snpClaimsSchema = z.strictObject({
  version: z.int(),
  generation: z.enum(generations),
  signingKey: z.enum(['VCEK', 'VLEK']),
  /** CSP id of the VLEK; null where the key belongs to a chip. */
  provider: z.string().nullable(),
  /** Null where the chip does not show it. */
  chipId: hex(64).nullable(),
  reportedTcb: tcb,
  committedTcb: tcb,
  launchTcb: tcb,
  guestSvn: z.int(),
  vmpl: z.int(),
  policy: z.strictObject({
    ...flags('smtAllowed', 'migrationAgent', 'debug', 'singleSocket', 'cxlAllowed').shape,
    ...flags('aes256Xts', 'raplDisabled', 'ciphertextHiding', 'pageSwapDisabled').shape,
    abi: z.strictObject({ major: z.int(), minor: z.int() }),
  }),
  platform: flags(
    'smt',
    'transparentEncryption',
    'ecc',
    'raplDisabled',
    'ciphertextHiding',
    'aliasCheck',
    'trustedIo',
  ),
  hostData: hex(32),
  familyId: hex(16),
  imageId: hex(16),
  idKeyDigest: hex(48),
  authorKeyDigest: hex(48),
  authorKeyEnabled: z.boolean(),
  reportId: hex(32),
  currentFirmware: z.string(),
  committedFirmware: z.string(),
  certificatesUntil: z.string(),
})

/** What an authentic report says. Measurement and report data are fields of every kind of evidence. */
export type SnpClaims = z.infer<typeof snpClaimsSchema>

/** The claims of a report. */
export function snpClaimsOf(authentic: AuthenticSnpReport): SnpClaims {
  const { report, endorsement, generation, reportedTcb, committedTcb, launchTcb, certificatesUntil } =
    authentic
  const isShown = endorsement.kind === 'VCEK' && !report.chipKeyMasked
  return {
    version: report.version,
    generation,
    signingKey: endorsement.kind,
    provider: endorsement.provider,
    chipId: isShown ? toHex(report.chipId) : null,
    reportedTcb: { ...reportedTcb },
    committedTcb: { ...committedTcb },
    launchTcb: { ...launchTcb },
    guestSvn: report.guestSvn,
    vmpl: report.vmpl,
    policy: readGuestPolicy(report.policy),
    platform: readPlatformInfo(report.platformInfo),
    hostData: toHex(report.hostData),
    familyId: toHex(report.familyId),
    imageId: toHex(report.imageId),
    idKeyDigest: toHex(report.idKeyDigest),
    authorKeyDigest: toHex(report.authorKeyDigest),
    authorKeyEnabled: report.authorKeyEnabled,
    reportId: toHex(report.reportId),
    currentFirmware: report.currentFirmware,
    committedFirmware: report.committedFirmware,
    certificatesUntil: new Date(certificatesUntil).toISOString(),
  }
}

/** A TCB for people: components that are not zero, in order. */
export function tcbText(tcb: Partial<Tcb>): string {
  const parts = tcbComponents.flatMap((component) =>
    tcb[component] === undefined || tcb[component] === 0 ? [] : [`${component} ${tcb[component]}`],
  )
  return parts.join(', ') || 'all zero'
}
