/**
 * Which enclaves the parties accept: shape only, so that what is signed is complete and strict. What each field means, and that
 * what an entry leaves out must have its safe value, is `#libs/attestation`'s, which parses the same JSON by itself.
 */
import { z } from 'zod'
import { azureVmFields, confidentialSpaceEnclaveSchema, maaFields } from './cloud-enclaves.js'
import { distinct } from './parties.js'
import { thumbprintSchema } from './quantities.js'

const svn = z.int().min(0).max(255)
const maximumAgeSeconds = z.int().min(1).max(86_400)
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
const anyOf = <Item extends z.ZodType>(item: Item) => distinct(item).min(1)

const gpuSchema = z.strictObject({
  model: z.enum(['hopper', 'blackwell']),
  driver: anyOf(z.string().regex(/^\d{1,5}(?:\.\d{1,5}){1,3}$/)),
  vbios: anyOf(z.string().regex(/^[0-9A-F]{2}(?:\.[0-9A-F]{2}){4}$/)),
  devices: z.int().min(1).max(64).optional(),
})

const simulatedEnclaveSchema = z.strictObject({
  tee: z.literal('simulated'),
  measurement: anyOf(hex(32)),
  key: thumbprintSchema,
  maximumAgeSeconds,
})

const sevSnpEnclaveSchema = z.strictObject({
  tee: z.literal('sev-snp'),
  measurement: anyOf(hex(48)),
  minimumTcb: z.strictObject({ bootloader: svn, tee: svn, snp: svn, microcode: svn, fmc: svn.optional() }),
  maximumAgeSeconds,
  generations: anyOf(z.enum(['milan', 'genoa', 'turin'])),
  chips: anyOf(hex(64)).optional(),
  refusedChips: anyOf(hex(64)).optional(),
  providers: anyOf(z.string().regex(/^[\x21-\x7e]{1,100}$/)).optional(),
  hostData: anyOf(hex(32)).optional(),
  familyId: anyOf(hex(16)).optional(),
  imageId: anyOf(hex(16)).optional(),
  idKeyDigest: anyOf(hex(48)).optional(),
  authorKeyDigest: anyOf(hex(48)).optional(),
  vmpl: anyOf(z.int().min(0).max(3)).optional(),
  minimumGuestSvn: z.int().min(0).max(4_294_967_295).optional(),
  smt: z.literal('allowed').optional(),
  cxl: z.literal('allowed').optional(),
  waivedProtections: anyOf(
    z.enum([
      'singleSocket',
      'aes256Xts',
      'raplDisabled',
      'ciphertextHiding',
      'pageSwapDisabled',
      'aliasCheck',
    ]),
  ).optional(),
  gpu: gpuSchema.optional(),
})

const tdxEnclaveSchema = z.strictObject({
  tee: z.literal('tdx'),
  measurement: anyOf(hex(48)),
  rtmr0: anyOf(hex(48)).optional(),
  rtmr1: anyOf(hex(48)).optional(),
  rtmr2: anyOf(hex(48)).optional(),
  rtmr3: anyOf(hex(48)).optional(),
  mrConfigId: anyOf(hex(48)).optional(),
  mrOwner: anyOf(hex(48)).optional(),
  mrOwnerConfig: anyOf(hex(48)).optional(),
  minimumTcb: z.strictObject({ evaluationDataNumber: z.int().min(1).max(1_000_000) }),
  maximumAgeSeconds,
  tcbStatus: anyOf(
    z.enum([
      'SWHardeningNeeded',
      'ConfigurationNeeded',
      'ConfigurationAndSWHardeningNeeded',
      'OutOfDate',
      'OutOfDateConfigurationNeeded',
    ]),
  ).optional(),
  advisories: anyOf(z.string().regex(/^INTEL-SA-\d{5}$/)).optional(),
  fmspc: anyOf(hex(6)).optional(),
  mrSeam: anyOf(hex(48)).optional(),
  septVe: z.literal('enabled').optional(),
  gpu: gpuSchema.optional(),
})

const nitroEnclaveSchema = z.strictObject({
  tee: z.literal('nitro'),
  measurement: anyOf(hex(48)),
  maximumAgeSeconds,
  role: anyOf(hex(48)).optional(),
  instance: anyOf(hex(48)).optional(),
  signer: anyOf(hex(48)).optional(),
})

const azureSnpEnclaveSchema = sevSnpEnclaveSchema
  .omit({ tee: true, gpu: true })
  .extend({ tee: z.literal('az-snp-vtpm'), ...azureVmFields })

const azureTdxEnclaveSchema = tdxEnclaveSchema
  .omit({ tee: true, gpu: true })
  .extend({ tee: z.literal('az-tdx-vtpm'), ...azureVmFields })

const maaSnpEnclaveSchema = sevSnpEnclaveSchema
  .omit({ tee: true, gpu: true, providers: true })
  .extend({ tee: z.literal('maa-snp'), ...maaFields })

const maaTdxEnclaveSchema = tdxEnclaveSchema
  .omit({ tee: true, gpu: true, minimumTcb: true, advisories: true, fmspc: true })
  .extend({ tee: z.literal('maa-tdx'), ...maaFields })

export const enclaveSchema = z.discriminatedUnion('tee', [
  simulatedEnclaveSchema,
  sevSnpEnclaveSchema,
  tdxEnclaveSchema,
  nitroEnclaveSchema,
  azureSnpEnclaveSchema,
  azureTdxEnclaveSchema,
  maaSnpEnclaveSchema,
  maaTdxEnclaveSchema,
  confidentialSpaceEnclaveSchema,
])
