/** Which machines of clouds and which tokens of their services the parties accept: shape only; see enclaves.ts. */
import { z } from 'zod'
import { distinct } from './parties.js'
import { thumbprintSchema } from './quantities.js'

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
const anyOf = <Item extends z.ZodType>(item: Item) => distinct(item).min(1)
const register = anyOf(hex(32)).optional()
const keys = anyOf(z.union([thumbprintSchema, hex(32)]))

export const azureVmFields = {
  pcr0: register,
  pcr1: register,
  pcr2: register,
  pcr3: register,
  pcr4: register,
  pcr5: register,
  pcr6: register,
  pcr7: register,
  pcr8: register,
  pcr9: register,
  pcr10: register,
  pcr11: register,
  pcr12: register,
  pcr13: register,
  pcr14: register,
  pcr15: register,
  waivedPcrs: anyOf(z.literal([1, 3, 5, 6, 10, 14, 15])).optional(),
  secureBoot: z.literal('waived').optional(),
  console: z.literal('allowed').optional(),
}

export const maaFields = {
  issuer: z.string().regex(/^https:\/\/[a-z0-9.-]{1,200}(?:\/[A-Za-z0-9._~-]{1,100}){0,4}$/),
  keys,
  policyHash: anyOf(thumbprintSchema),
  compliance: anyOf(z.enum(['azure-compliant-cvm', 'azure-compliant-uvm'])).optional(),
  nested: z.literal('azurevm').optional(),
  guestCode: z.literal('unmeasured').optional(),
}

const text = z.string().min(1).max(1000)

export const confidentialSpaceEnclaveSchema = z.strictObject({
  tee: z.literal('gcp-cs'),
  measurement: anyOf(hex(32)),
  maximumAgeSeconds: z.int().min(1).max(86_400),
  audience: z.string().regex(/^[\x21-\x7e]{1,512}$/),
  keys,
  hardware: anyOf(z.enum(['GCP_AMD_SEV', 'GCP_AMD_SEV_ES', 'GCP_AMD_SEV_SNP', 'GCP_INTEL_TDX'])),
  cmdOverride: z.array(text).min(1).max(100).optional(),
  envOverride: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), z.string().max(1000)).optional(),
  restartPolicy: anyOf(z.enum(['Never', 'OnFailure', 'Always'])).optional(),
  memoryMonitoring: z.literal('allowed').optional(),
  minimumImageVersion: z.int().min(1).max(999_999_999).optional(),
  tcbStatus: anyOf(
    z.enum(['SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded']),
  ).optional(),
  projects: anyOf(text).optional(),
  serviceAccounts: anyOf(text).optional(),
})
