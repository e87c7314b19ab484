import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { ClientError, secureUrl } from '#libs/client'
import { publicKeySchema, thumbprintSchema } from '#libs/protocol'

/** Plain HTTP on loopback alone: a mirror elsewhere is reached by TLS, so that who listens does not learn of chips. */
const hostSchema = z.url().refine((text) => {
  try {
    return secureUrl(text).origin === text.replace(/\/$/, '')
  } catch (error) {
    if (error instanceof ClientError) return false
    throw error
  }
}, 'expected an origin like https://kds.example.org')

/** The same with a path. */
const addressSchema = z
  .url()
  .refine(
    (text) => URL.canParse(text) && hostSchema.safeParse(new URL(text).origin).success,
    'expected an address by https',
  )

/** What `sealroom init` wrote into the agent's home. Nothing in it is secret; what is pinned here is trusted. */
export const agentConfigSchema = z.strictObject({
  version: z.literal(1),
  name: z.string().min(1).max(64),
  party: thumbprintSchema,
  coordinator: z.url(),
  log: z.strictObject({
    origin: z.string().min(1).max(200),
    logKey: publicKeySchema,
    coordinatorKey: publicKeySchema,
  }),
  /**
   * Where the daemon fetches certificates and lists that evidence of hardware needs: from the vendors, or from mirrors of their
   * services. Left out: nowhere; then only what lies in the folder `collateral` of the home counts. Trust does not rest on it: the roots are
   * pinned in the code, and no setting names another.
   */
  collateral: z
    .strictObject({
      fetchFrom: z.union([
        z.literal('vendors'),
        z.strictObject({
          amd: hostSchema,
          intel: hostSchema,
          intelRoot: hostSchema,
          nvidia: hostSchema.nullable().default(null),
        }),
      ]),
      /** Addresses of key sets of attestation services, by the exact name of the issuer. Which keys count, the contract says. */
      keySets: z.record(z.url(), addressSchema).optional(),
    })
    .optional(),
  /** opens the daemon's keys without a person; its content is secret, its place is not */
  keyFile: z.string().min(1).max(4096).optional(),
})

export type AgentConfig = z.infer<typeof agentConfigSchema>

/** What the environment says: where the home is unless `--home` names another. No switch of a check is in it. */
export function environment(): { readonly home: string } {
  return { home: process.env['SEALROOM_HOME'] ?? join(homedir(), '.sealroom') }
}
