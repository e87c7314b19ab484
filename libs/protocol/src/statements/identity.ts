import { z } from 'zod'
import {
  countSchema,
  digestSchema,
  nameSchema,
  publicKeySchema,
  sealingKeySchema,
  thumbprintSchema,
} from '../primitives.js'
import { statementKind, statementSchema } from './envelope.js'

/** The acts that a consent key may delegate to a daemon key. What is not listed stays with people. */
export const delegableActs = [
  'manifest',
  'run-request',
  'nonce',
  'accept',
  'spend',
  'key-release',
  'renewal',
  'refusal',
  'withdrawal',
  'cosignature',
  'fetch',
  'requests',
] as const

export type DelegableAct = (typeof delegableActs)[number]

/**
 * Who a party is: its consent key, the daemon key it delegates to, the key results are sealed to, and the thumbprint of the
 * offline recovery key. Signed by the consent key; a rotation of the consent key is signed by the recovery key, which is
 * then shown in `recoveryKey`. Each Identity names the one before it.
 */
export const identitySchema = statementSchema('identity', {
  name: nameSchema,
  consentKey: publicKeySchema,
  daemonKey: publicKeySchema,
  sealingKey: sealingKeySchema,
  recovery: thumbprintSchema,
  recoveryKey: publicKeySchema.nullable(),
  delegations: z.array(z.enum(delegableActs)).max(delegableActs.length),
  sequence: countSchema.min(1),
  previous: digestSchema.nullable(),
})

export type Identity = z.infer<typeof identitySchema>
export const identityKind = statementKind('identity', identitySchema)
