import { saltFrom, type StatementType, type Thumbprint } from '#libs/canonical'
import type { Agent } from '../agent.js'

/** The fields that every statement of this agent begins with. */
export function newStatement<Type extends StatementType>(
  agent: Agent,
  type: Type,
): { type: Type; by: Thumbprint; log: string; issuedAt: string; salt: string } {
  return {
    type,
    by: agent.keys.party,
    log: agent.config.log.origin,
    issuedAt: new Date(agent.now()).toISOString(),
    salt: saltFrom(agent.randomBytes),
  }
}
