import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { publicKeySchema, thumbprintSchema } from '#libs/protocol'

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
  /** opens the daemon's keys without a person; its content is secret, its place is not */
  keyFile: z.string().min(1).max(4096).optional(),
})

export type AgentConfig = z.infer<typeof agentConfigSchema>

/** What the environment says: where the home is unless `--home` names another. No switch of a check is in it. */
export function environment(): { readonly home: string } {
  return { home: process.env['SEALROOM_HOME'] ?? join(homedir(), '.sealroom') }
}
