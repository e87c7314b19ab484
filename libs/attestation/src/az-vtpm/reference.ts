/**
 * Fields of a contract's entry about the guest of an Azure confidential VM. The hardware's report measures Azure's paravisor alone: what the
 * guest booted is in the registers of its vTPM.
 */
import { z } from 'zod'
import { anyOf, hex } from '../reference-fields.js'

/** Registers that nothing but a reset takes back (TCG PC Client, §2.3): those which a contract names. */
export const heldRegisters = 16

/** Registers that tell machines apart rather than code: settings, partitions, events, IMA's log, keys of an owner, the machine's id. */
export const machineRegisters = [1, 3, 5, 6, 10, 14, 15] as const

const register = anyOf(hex(32)).optional()

/** See the file. */
export const azureVmFields = {
  /** Registers 0 to 15 of the bank of SHA-256. Left out: zero, nothing was measured into it. */
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
  /** Registers that are not compared, of {@link machineRegisters} alone. Left out: none. */
  waivedPcrs: anyOf(z.literal(machineRegisters)).optional(),
  /** Azure may start the guest without secure boot. Left out: it must be on. */
  secureBoot: z.literal('waived').optional(),
  /** The host's serial console may reach the guest. Left out: it must be off. */
  console: z.literal('allowed').optional(),
}

/** The fields as read. */
export type AzureVmReference = z.infer<z.ZodObject<typeof azureVmFields>>

/** Name of a register's field. */
export type RegisterName = Exclude<keyof AzureVmReference, 'waivedPcrs' | 'secureBoot' | 'console'>
