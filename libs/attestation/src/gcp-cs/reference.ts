/** Google Confidential Space. Debug images and shielded VMs are never accepted. */
import { z } from 'zod'
import { anyOf, hex, maximumAgeSeconds, serviceKeys } from '../reference-fields.js'

const text = z.string().min(1).max(1000)

/** The `hwmodel` of hardware that encrypts memory. Plain SEV and SEV-ES let the host change what is in it. */
export const confidentialSpaceHardware = [
  'GCP_AMD_SEV',
  'GCP_AMD_SEV_ES',
  'GCP_AMD_SEV_SNP',
  'GCP_INTEL_TDX',
] as const

/** An entry of a contract. */
export const confidentialSpaceReferenceSchema = z.strictObject({
  tee: z.literal('gcp-cs'),
  /** Digest of the workload's container image, without `sha256:`. */
  measurement: anyOf(hex(32)),
  maximumAgeSeconds,
  /** Exactly the `aud`: a token for another purpose is none for a run. */
  audience: z.string().regex(/^[\x21-\x7e]{1,512}$/),
  keys: serviceKeys,
  hardware: anyOf(z.enum(confidentialSpaceHardware)),
  /** Arguments that the operator gave in place of the image's own, exactly. Left out: none. */
  cmdOverride: z.array(text).min(1).max(100).optional(),
  /** Variables that the operator set, exactly. Left out: none. */
  envOverride: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), z.string().max(1000)).optional(),
  /** Left out: Never. */
  restartPolicy: anyOf(z.enum(['Never', 'OnFailure', 'Always'])).optional(),
  /** Google may be sent how much memory is used, which tells of the data. Left out: it is not. */
  memoryMonitoring: z.literal('allowed').optional(),
  /** Least version of the Confidential Space image. Left out: each that Google calls STABLE. */
  minimumImageVersion: z.int().min(1).max(999_999_999).optional(),
  /** TCB states of TDX accepted beside UpToDate. Left out: none. */
  tcbStatus: anyOf(
    z.enum(['SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded']),
  ).optional(),
  /** Ids of projects. Left out: projects are not told apart; image and hardware decide. */
  projects: anyOf(text).optional(),
  /** Service accounts of the workload. Left out: not told apart. */
  serviceAccounts: anyOf(text).optional(),
})

/** See {@link confidentialSpaceReferenceSchema}. */
export type ConfidentialSpaceReference = Readonly<z.infer<typeof confidentialSpaceReferenceSchema>>
