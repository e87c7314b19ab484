import type { Agent } from '../agent.js'
import { pinnedParties } from '../trust/known-parties.js'

/** The labels that this agent's people gave to parties; a stranger is shown by the beginning of its thumbprint. */
export async function partyNames(agent: Agent): Promise<(party: string) => string> {
  const pins = await pinnedParties(agent)
  return (party) => {
    if (party === agent.keys.party) return `${agent.config.name} (this agent)`
    return (
      pins.get(party)?.label ??
      (/^[A-Za-z0-9_-]{43}$/.test(party) ? `${party.slice(0, 12)}… (not pinned)` : party)
    )
  }
}
