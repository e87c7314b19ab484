/**
 * Which keys speak for the parties that this agent knows. A party is known by its consent key, which people pinned; its
 * Identities are kept, and an answer with fewer or other ones is refused: that is how a swapped or an older key shows.
 */
import type { Thumbprint } from '#libs/canonical'
import {
  expectExtension,
  verifyIdentityChain,
  type IdentityChain,
  type IdentityChainMessage,
} from '#libs/protocol'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import type { AgentStore } from '../store/agent-store.js'
import { spaces, type PinRecord } from '../store/records.js'

/** Chains that were verified in this process, so that each link is verified once. */
const verifiedChains = new WeakMap<AgentStore, Map<Thumbprint, IdentityChain>>()

/**
 * Takes what the coordinator says of identities, verifies it, and keeps what is new.
 * @throws ProtocolError `IDENTITY_INVALID`, `IDENTITY_OLDER` where a chain is not an extension of the known one.
 */
export async function refreshIdentities(
  agent: Agent,
  messages: readonly IdentityChainMessage[],
): Promise<Map<Thumbprint, IdentityChain>> {
  const chains = new Map<Thumbprint, IdentityChain>()
  for (const message of messages) chains.set(message.thumbprint, await refreshIdentity(agent, message))
  return chains
}

async function refreshIdentity(agent: Agent, message: IdentityChainMessage): Promise<IdentityChain> {
  const cache = verifiedChains.get(agent.store) ?? new Map<Thumbprint, IdentityChain>()
  verifiedChains.set(agent.store, cache)
  const cached = cache.get(message.thumbprint)
  if (cached !== undefined && sameStatements(cached, message)) return cached
  const known = await agent.store.get(spaces.identities, message.thumbprint)
  const chain = await verifyIdentityChain(message.statements, message.thumbprint)
  expectExtension(known?.ids ?? [], chain)
  expectOwnKeys(agent, chain)
  if (chain.links.length > (known?.ids.length ?? 0))
    await agent.store.write(
      agent.store.put(spaces.identities, message.thumbprint, {
        statements: message.statements,
        ids: chain.links.map(({ id }) => id),
      }),
    )
  cache.set(message.thumbprint, chain)
  return chain
}

// Nobody else can sign an Identity for this party; a newer one than the agent's own means a second home with the same consent key.
function expectOwnKeys(agent: Agent, chain: IdentityChain): void {
  if (chain.thumbprint !== agent.keys.party || chain.newest.id === agent.keys.identity.id) return
  if (chain.links.length < agent.keys.identity.payload.sequence) return
  throw new AgentError(
    'NOT_PINNED',
    `the newest Identity of this party is ${chain.newest.id}; this agent has ${agent.keys.identity.id}: another home uses the same consent key`,
  )
}

/** The parties whose consent keys this agent's people have compared, by thumbprint. */
export async function pinnedParties(agent: Agent): Promise<ReadonlyMap<Thumbprint, PinRecord>> {
  return new Map(await agent.store.list(spaces.pins))
}

/** The party's Identities as verified before, without asking anyone. */
export function knownChain(agent: Agent, party: Thumbprint): IdentityChain | undefined {
  return verifiedChains.get(agent.store)?.get(party)
}

function sameStatements(chain: IdentityChain, message: IdentityChainMessage): boolean {
  return (
    chain.links.length === message.statements.length &&
    chain.links.every((link, index) => link.jws === message.statements[index])
  )
}
