import { signStatement } from '#libs/canonical'
import { contractKind, endOfDay, problemText } from '#libs/contract'
import { contractIdFrom } from '../contracts/active-contract.js'
import { bareCheckpoint, expectOwnLog, readProposal } from '../contracts/read-proposal.js'
import { checkBeforeSigning, expectAll } from '../contracts/sign-checks.js'
import { AgentError } from '../errors.js'
import { followLog } from '../trust/log-follower.js'
import { newStatement } from '../trust/new-statement.js'
import { pinnedParties } from '../trust/known-parties.js'
import { verifyProposal } from '../trust/verify-contract.js'
import type { Session } from './session.js'
import { counted, facts } from './table.js'
import type { Answer } from './world.js'

/** Signs the first signature of a contract and records it. */
export async function proposeContract(session: Session, path: string): Promise<Answer> {
  const { agent } = await session.agent()
  const reading = await readProposal(agent, path, bareCheckpoint(await followLog(agent), agent))
  if (reading.terms === null)
    throw new AgentError(
      'USAGE',
      [
        `${path} has ${counted(reading.problems.length, 'mistake')}; see \`sealroom contract check ${path}\``,
        ...reading.problems.map((problem) => `  - ${problemText(problem)}`),
      ].join('\n'),
    )
  const { terms } = reading
  expectOwnLog(terms, agent)
  const pins = await pinnedParties(agent)
  const unpinned = Object.entries(terms.parties).filter(
    ([, { key }]) => key !== agent.keys.party && !pins.has(key),
  )
  if (unpinned.length > 0)
    throw new AgentError(
      'NOT_PINNED',
      `not pinned: ${unpinned.map(([label, { key }]) => `${label} (${key})`).join(', ')}. Compare each fingerprint, then: sealroom pin LABEL THUMBPRINT`,
    )
  if (agent.now() > endOfDay(terms.governance.proposalExpires))
    throw new AgentError(
      'USAGE',
      `governance.proposalExpires is ${terms.governance.proposalExpires}, which is past`,
    )
  const consent = await session.consentKey(`propose contract ${terms.name}`)
  const statement = await signStatement(contractKind, { ...newStatement(agent, 'contract'), terms }, consent)
  const recorded = await agent.client.record(statement.jws)
  return {
    json: { contract: statement.id, name: terms.name, index: recorded.index },
    text: [
      ...facts([
        ['contract', statement.id],
        ['name', terms.name],
        ['signatories', terms.governance.signatories.join(', ')],
        ['to be signed until', terms.governance.proposalExpires],
      ]),
      '',
      `Each other signatory reviews and signs it: sealroom contract review ${statement.id.slice(0, 12)}`,
    ],
  }
}

/** Signs a contract that another party proposed. */
export async function signContract(session: Session, given: string): Promise<Answer> {
  const { agent } = await session.agent()
  const view = await agent.client.contract(await contractIdFrom(agent, given))
  const proposal = await verifyProposal(agent, view)
  const { contract, terms, signatures } = proposal
  if (signatures.some(({ kid }) => kid === agent.keys.party))
    return {
      json: { contract: contract.id, signed: true, already: true },
      text: [`contract ${contract.id} is signed by this party already`],
    }
  expectAll(await checkBeforeSigning(agent, proposal))
  const consent = await session.consentKey(
    `sign contract ${terms.name} (${contract.id.slice(0, 12)}), as \`contract review\` shows it`,
  )
  const statement = await signStatement(contractKind, contract.payload, consent)
  if (statement.id !== contract.id)
    throw new AgentError(
      'CONTRACT_NOT_VERIFIED',
      `the contract would be signed as ${statement.id}; expected ${contract.id}`,
    )
  const recorded = await agent.client.record(statement.jws)
  const left = proposal.unsigned.filter((label) => terms.parties[label]?.key !== agent.keys.party)
  return {
    json: { contract: contract.id, signed: true, already: false, index: recorded.index, unsigned: left },
    text: [
      `contract ${terms.name} (${contract.id.slice(0, 12)}) is signed, entry ${recorded.index ?? '?'} of the log`,
      left.length === 0
        ? 'all signatories have signed: it is active when its Activation is recorded'
        : `still to sign: ${left.join(', ')}`,
    ],
  }
}
