/**
 * Fields of a contract's entry about tokens of Microsoft Azure Attestation: whose word is taken, and for what. What the hardware must be like
 * stands beside them, as for that hardware alone.
 */
import { z } from 'zod'
import { anyOf, issuerUrl, serviceKeys, thumbprint } from '../reference-fields.js'

/** See the file. */
export const maaFields = {
  /** Exactly the `iss`: instances of the service share keys, so that it alone tells them apart. */
  issuer: issuerUrl,
  keys: serviceKeys,
  /** `x-ms-policy-hash`: the policy by which the instance judges, which its operator can change at any time. */
  policyHash: anyOf(thumbprint),
  /** Compliance that the policy states. Left out: azure-compliant-cvm. */
  compliance: anyOf(z.enum(['azure-compliant-cvm', 'azure-compliant-uvm'])).optional(),
  /** The token is the guest's own, of type `azurevm`, which nests that of the hardware. Left out: the hardware was attested directly. */
  nested: z.literal('azurevm').optional(),
  /**
   * Nothing that the service states measures the guest's code, only the firmware below it: whoever can start a VM meets the entry. Left out: host
   * data, or a register or MRCONFIGID, must be named and not zero.
   */
  guestCode: z.literal('unmeasured').optional(),
}

/** The fields as read. */
export type MaaReference = z.infer<z.ZodObject<typeof maaFields>>
