/**
 * What one entry of a contract's `enclaves` accepts. One entry must be met in full. What an entry leaves out demands the
 * field's safe value, named beside it here; nothing means "any".
 */
import { z } from 'zod'
import { AttestationError } from './errors.js'
import { azureVmFields } from './az-vtpm/reference.js'
import { confidentialSpaceReferenceSchema } from './gcp-cs/reference.js'
import { maaFields } from './maa/reference.js'
import { anyOf, hex, maximumAgeSeconds, thumbprint, version } from './reference-fields.js'

/** GPUs beside the CPU. Left out: the run may show none. */
export const gpuReferenceSchema = z.strictObject({
  model: z.enum(['hopper', 'blackwell']),
  driver: anyOf(z.string().regex(/^\d{1,5}(?:\.\d{1,5}){1,3}$/, 'expected a driver version like 550.90.07')),
  vbios: anyOf(
    z.string().regex(/^[0-9A-F]{2}(?:\.[0-9A-F]{2}){4}$/, 'expected a VBIOS version like 96.00.74.00.1A'),
  ),
  /** Left out: exactly one. */
  devices: z.int().min(1).max(64).optional(),
})

/** What a contract says of GPUs. */
export type GpuReferenceValues = Readonly<z.infer<typeof gpuReferenceSchema>>

/** The simulated TEE. Protects nothing; for trying things out. */
export const simulatedReferenceSchema = z.strictObject({
  tee: z.literal('simulated'),
  measurement: anyOf(hex(32)),
  /** Thumbprint of the simulator's key, the only root there is. */
  key: thumbprint,
  maximumAgeSeconds,
})

/** What an SNP guest's policy or platform may add against neighbours, the host and whoever stands beside the machine. */
export const snpProtections = [
  'singleSocket',
  'aes256Xts',
  'raplDisabled',
  'ciphertextHiding',
  'pageSwapDisabled',
  'aliasCheck',
] as const

/** One of {@link snpProtections}. */
export type SnpProtection = (typeof snpProtections)[number]

/** AMD SEV-SNP. Debug and migration agents are never accepted. */
export const sevSnpReferenceSchema = z.strictObject({
  tee: z.literal('sev-snp'),
  measurement: anyOf(hex(48)),
  /** Each component at least this, compared one by one. `fmc` exists on Turin; left out there: refused. */
  minimumTcb: z.strictObject({
    bootloader: version,
    tee: version,
    snp: version,
    microcode: version,
    fmc: version.optional(),
  }),
  maximumAgeSeconds,
  /** Of which processors: what is known of attacks differs from one generation to the next. */
  generations: anyOf(z.enum(['milan', 'genoa', 'turin'])),
  /** Chip ids. Left out: chips are not told apart. */
  chips: anyOf(hex(64)).optional(),
  /** Chip ids that are refused, and with them chips that do not show theirs. Left out: none. */
  refusedChips: anyOf(hex(64)).optional(),
  /** CSP ids of VLEK certificates. Left out: only chip-bound VCEK certificates. */
  providers: anyOf(z.string().regex(/^[\x21-\x7e]{1,100}$/)).optional(),
  /** HOST_DATA. Left out: zero. */
  hostData: anyOf(hex(32)).optional(),
  /** FAMILY_ID and IMAGE_ID. Left out: zero. */
  familyId: anyOf(hex(16)).optional(),
  imageId: anyOf(hex(16)).optional(),
  /** ID_KEY_DIGEST and AUTHOR_KEY_DIGEST. Left out: zero. */
  idKeyDigest: anyOf(hex(48)).optional(),
  authorKeyDigest: anyOf(hex(48)).optional(),
  /** Privilege levels of the code that asked for the report. Left out: 0, the highest. */
  vmpl: anyOf(z.int().min(0).max(3)).optional(),
  /** GUEST_SVN. Left out: not asked for, since the measurement names each image. */
  minimumGuestSvn: z.int().min(0).max(4_294_967_295).optional(),
  /** The platform may run two threads a core. Left out: it may not. */
  smt: z.literal('allowed').optional(),
  /** The guest may have memory on a CXL device. Left out: it may not. */
  cxl: z.literal('allowed').optional(),
  /** Protections that the owners do without, because their machines lack them. Left out: each must be on. */
  waivedProtections: anyOf(z.enum(snpProtections)).optional(),
  gpu: gpuReferenceSchema.optional(),
})

/** Intel TDX. Debug, migration and bits of unknown meaning are never accepted; the module's signer must be Intel. */
export const tdxReferenceSchema = z.strictObject({
  tee: z.literal('tdx'),
  /** MRTD. */
  measurement: anyOf(hex(48)),
  /** RTMR 0 to 3. Left out: zero. */
  rtmr0: anyOf(hex(48)).optional(),
  rtmr1: anyOf(hex(48)).optional(),
  rtmr2: anyOf(hex(48)).optional(),
  rtmr3: anyOf(hex(48)).optional(),
  /** MRCONFIGID, MROWNER, MROWNERCONFIG. Left out: zero. */
  mrConfigId: anyOf(hex(48)).optional(),
  mrOwner: anyOf(hex(48)).optional(),
  mrOwnerConfig: anyOf(hex(48)).optional(),
  /** Intel's TCB information must be at least of this evaluation. */
  minimumTcb: z.strictObject({ evaluationDataNumber: z.int().min(1).max(1_000_000) }),
  maximumAgeSeconds,
  /** TCB states accepted beside UpToDate. Left out: none. Revoked is never accepted. */
  tcbStatus: anyOf(
    z.enum([
      'SWHardeningNeeded',
      'ConfigurationNeeded',
      'ConfigurationAndSWHardeningNeeded',
      'OutOfDate',
      'OutOfDateConfigurationNeeded',
    ]),
  ).optional(),
  /** Advisories that the owners waive. Left out: none. */
  advisories: anyOf(z.string().regex(/^INTEL-SA-\d{5}$/)).optional(),
  /** Platform families. Left out: families are not told apart. */
  fmspc: anyOf(hex(6)).optional(),
  /** MRSEAM. Left out: any TDX module that Intel signed, since its TCB information says which are good. */
  mrSeam: anyOf(hex(48)).optional(),
  /** The host may interrupt the TD by taking pages away. Left out: SEPT_VE_DISABLE must be on. */
  septVe: z.literal('enabled').optional(),
  gpu: gpuReferenceSchema.optional(),
})

/** AWS Nitro enclaves. Debug enclaves are never accepted. They have no GPU. */
export const nitroReferenceSchema = z.strictObject({
  tee: z.literal('nitro'),
  /** PCR0, the image file; it covers kernel and application, which PCR1 and PCR2 tell apart. */
  measurement: anyOf(hex(48)),
  maximumAgeSeconds,
  /** PCR3, the IAM role of the parent instance. Left out: roles are not told apart; the image decides what they get. */
  role: anyOf(hex(48)).optional(),
  /** PCR4, the parent instance. Left out: instances are not told apart. */
  instance: anyOf(hex(48)).optional(),
  /** PCR8, the certificate that signed the image. Left out: zero, an image that nobody signed. */
  signer: anyOf(hex(48)).optional(),
})

/** An Azure confidential VM on AMD SEV-SNP. `measurement` is that of Azure's paravisor; the registers say what the guest booted. */
export const azureSnpReferenceSchema = sevSnpReferenceSchema.omit({ tee: true, gpu: true }).extend({
  tee: z.literal('az-snp-vtpm'),
  ...azureVmFields,
})

/** An Azure confidential VM on Intel TDX; see {@link azureSnpReferenceSchema}. */
export const azureTdxReferenceSchema = tdxReferenceSchema.omit({ tee: true, gpu: true }).extend({
  tee: z.literal('az-tdx-vtpm'),
  ...azureVmFields,
})

/**
 * A guest on AMD SEV-SNP that Microsoft Azure Attestation vouches for. The service says its firmware once, so that `minimumTcb` is held
 * against the reported TCB alone; it says no `aliasCheck`, which must be waived.
 */
export const maaSnpReferenceSchema = sevSnpReferenceSchema
  .omit({ tee: true, gpu: true, providers: true })
  .extend({
    tee: z.literal('maa-snp'),
    ...maaFields,
  })

/** A guest on Intel TDX that Microsoft Azure Attestation vouches for. How recent Intel's knowledge was, the service does not say. */
export const maaTdxReferenceSchema = tdxReferenceSchema
  .omit({ tee: true, gpu: true, minimumTcb: true, advisories: true, fmspc: true })
  .extend({ tee: z.literal('maa-tdx'), ...maaFields })

/** One entry of a contract's `enclaves`. */
export const referenceValuesSchema = z.discriminatedUnion('tee', [
  simulatedReferenceSchema,
  sevSnpReferenceSchema,
  tdxReferenceSchema,
  nitroReferenceSchema,
  azureSnpReferenceSchema,
  azureTdxReferenceSchema,
  maaSnpReferenceSchema,
  maaTdxReferenceSchema,
  confidentialSpaceReferenceSchema,
])

/** What one entry accepts. */
export type ReferenceValues = Readonly<z.infer<typeof referenceValuesSchema>>

/** The reference values of the simulated TEE. */
export type SimulatedReferenceValues = Extract<ReferenceValues, { tee: 'simulated' }>

/** The reference values of AMD SEV-SNP. */
export type SevSnpReferenceValues = Extract<ReferenceValues, { tee: 'sev-snp' }>

/** The reference values of Intel TDX. */
export type TdxReferenceValues = Extract<ReferenceValues, { tee: 'tdx' }>

/** The reference values of tokens of Microsoft Azure Attestation about SEV-SNP. */
export type MaaSnpReferenceValues = Extract<ReferenceValues, { tee: 'maa-snp' }>

/** The reference values of tokens of Microsoft Azure Attestation about TDX. */
export type MaaTdxReferenceValues = Extract<ReferenceValues, { tee: 'maa-tdx' }>

/**
 * The entry as one for this TEE, which a verifier of CPU evidence can hold evidence against. What it says of GPUs is `verifyEnclave`'s.
 * @throws AttestationError `TEE_MISMATCH`.
 */
export function entryFor<Tee extends ReferenceValues['tee']>(
  reference: ReferenceValues,
  tee: Tee,
): Extract<ReferenceValues, { tee: Tee }> {
  if (!isFor(reference, tee))
    throw new AttestationError('TEE_MISMATCH', `the entry is for ${reference.tee}; the evidence is ${tee}`, {
      stage: 'appraise',
      field: 'tee',
    })
  return reference
}

function isFor<Tee extends ReferenceValues['tee']>(
  reference: ReferenceValues,
  tee: Tee,
): reference is Extract<ReferenceValues, { tee: Tee }> {
  return reference.tee === tee
}

/**
 * Reads one entry of a contract's `enclaves`.
 * @throws AttestationError `REFERENCE_VALUES_INVALID`, naming the field.
 */
export function parseReferenceValues(value: unknown): ReferenceValues {
  const result = referenceValuesSchema.safeParse(value)
  if (result.success) return result.data
  const issues = result.error.issues.map(
    ({ path, message }) =>
      `${path.join('.') || 'entry'}: ${message.endsWith('received undefined') ? 'it is left out; write it' : message}`,
  )
  throw new AttestationError(
    'REFERENCE_VALUES_INVALID',
    `reference values are not complete: ${issues.slice(0, 5).join('; ')}`,
    {
      stage: 'parse',
      field: result.error.issues[0]?.path.join('.') ?? 'entry',
      cause: result.error,
    },
  )
}
