/**
 * Which enclaves the parties accept: shape only. What each field means, and that what is left out has its safe value, is
 * `#libs/attestation`'s, which parses the same JSON.
 */
import { z } from 'zod'
import { lineSchema } from './names.js'
import { distinct } from './parties.js'
import { digestSchema, measurement48Schema, thumbprintSchema } from './quantities.js'

const svn = z.int().min(0).max(255)
const maximumAgeSeconds = z.int().min(1).max(86_400)

const gpuSchema = z.strictObject({
  model: z.enum(['hopper', 'blackwell']),
  driver: distinct(lineSchema(40)).min(1),
  vbios: distinct(lineSchema(40)).min(1),
})

export const simulatedEnclaveSchema = z.strictObject({
  tee: z.literal('simulated'),
  key: thumbprintSchema,
  measurement: distinct(digestSchema).min(1),
  maximumAgeSeconds,
})

export const sevSnpEnclaveSchema = z.strictObject({
  tee: z.literal('sev-snp'),
  measurement: distinct(measurement48Schema).min(1),
  minimumTcb: z.strictObject({ bootloader: svn, tee: svn, snp: svn, microcode: svn, fmc: svn.optional() }),
  maximumAgeSeconds,
  /** Accepted chip generations, cloud providers (from the VLEK) and chips; left out, none is preferred. */
  generations: distinct(z.enum(['milan', 'genoa', 'turin']))
    .min(1)
    .optional(),
  providers: distinct(lineSchema(100)).min(1).optional(),
  chips: distinct(z.string().regex(/^(?:[0-9a-f]{16}|[0-9a-f]{128})$/), 10_000)
    .min(1)
    .optional(),
  hostData: distinct(digestSchema).min(1).optional(),
  idKeyDigest: distinct(measurement48Schema).min(1).optional(),
  authorKeyDigest: distinct(measurement48Schema).min(1).optional(),
  /** Simultaneous multithreading shares cores between guests; left out, it must be off. */
  allowSmt: z.boolean().optional(),
  gpu: gpuSchema.optional(),
})

export const tdxEnclaveSchema = z.strictObject({
  tee: z.literal('tdx'),
  /** MRTD. */
  measurement: distinct(measurement48Schema).min(1),
  rtmr0: distinct(measurement48Schema).min(1).optional(),
  rtmr1: distinct(measurement48Schema).min(1).optional(),
  rtmr2: distinct(measurement48Schema).min(1).optional(),
  rtmr3: distinct(measurement48Schema).min(1).optional(),
  configId: distinct(measurement48Schema).min(1).optional(),
  owner: distinct(measurement48Schema).min(1).optional(),
  ownerConfig: distinct(measurement48Schema).min(1).optional(),
  /** Each of the 16 components of TEE_TCB_SVN must be at least this. */
  minimumTcb: z.array(svn).length(16),
  /** Statuses beside UpToDate that are accepted, and the advisories that may stand open with OutOfDate. */
  tcbStatuses: distinct(
    z.enum(['SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded', 'OutOfDate']),
  )
    .min(1)
    .optional(),
  advisories: distinct(z.string().regex(/^INTEL-SA-\d{5}$/))
    .min(1)
    .optional(),
  platforms: distinct(z.string().regex(/^[0-9a-f]{32}$/), 10_000)
    .min(1)
    .optional(),
  allowMigration: z.boolean().optional(),
  maximumAgeSeconds,
  gpu: gpuSchema.optional(),
})

export const enclaveSchema = z.discriminatedUnion('tee', [
  simulatedEnclaveSchema,
  sevSnpEnclaveSchema,
  tdxEnclaveSchema,
])
