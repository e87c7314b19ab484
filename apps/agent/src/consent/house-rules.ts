import { z } from 'zod'
import { thumbprintSchema } from '#libs/protocol'

/**
 * What an agent's own people let its daemon do by itself. The file is `house-rules.json` in the agent's home; what it does
 * not allow waits for a person (`sealroom approve`), and what is denied here is denied whatever a contract says.
 */
export const houseRulesSchema = z.strictObject({
  /** runs that need no person, by contract id and computation; `'*'` for every computation of that contract */
  automatic: z
    .array(
      z.strictObject({
        contract: z.string().regex(/^[0-9a-f]{64}$/),
        computations: z.array(z.string()).min(1),
      }),
    )
    .default([]),
  /** a simulated enclave protects nothing: it is accepted only where both the contract and this say so */
  allowSimulated: z.boolean().default(false),
  /** how old evidence may be at the moment of release, where the contract allows more */
  maximumEvidenceAgeSeconds: z.int().min(1).max(86_400).default(300),
  /** requesters that get nothing from this agent */
  denyRequesters: z.array(thumbprintSchema).default([]),
  /** builds that get nothing from this agent */
  denyMeasurements: z.array(z.string().regex(/^(?:[0-9a-f]{2})+$/)).default([]),
  /** chips and GPUs that get nothing from this agent, nor hardware that does not show its chip */
  denyChips: z.array(z.string().regex(/^(?:[0-9a-f]{2}){6,64}$/)).default([]),
  /** most runs that may be released in one hour, over all contracts */
  releasesPerHour: z.int().min(0).max(1_000_000).default(1000),
})

export type HouseRules = z.infer<typeof houseRulesSchema>

/** The rules of an agent that was told nothing: every run waits for a person, and nothing simulated is accepted. */
export const strictHouseRules: HouseRules = houseRulesSchema.parse({})

/** Whether the daemon may answer for a run by itself. */
export function isAutomatic(rules: HouseRules, contract: string, computation: string): boolean {
  return rules.automatic.some(
    (rule) =>
      rule.contract === contract &&
      (rule.computations.includes(computation) || rule.computations.includes('*')),
  )
}
