import { renderContract, reviewContract, type ContractTerms } from '#libs/contract'
import { contractIdFrom } from '../contracts/active-contract.js'
import { giveAndGet } from '../contracts/give-and-get.js'
import { checkBeforeSigning } from '../contracts/sign-checks.js'
import { verifyProposal } from '../trust/verify-contract.js'
import { exitCodes } from './exit-codes.js'
import { partyNames } from './party-names.js'
import type { Session } from './session.js'
import { counted, facts, table } from './table.js'
import type { Answer } from './world.js'

export async function listContracts(session: Session): Promise<Answer> {
  const { agent } = await session.agent()
  const { contracts } = await agent.client.contracts()
  return {
    json: { contracts },
    text:
      contracts.length === 0
        ? ['no contracts yet']
        : table(
            ['contract', 'name', 'state'],
            contracts.map(({ id, name, state }) => [id.slice(0, 12), name, state]),
          ),
  }
}

export async function showContract(session: Session, given: string): Promise<Answer> {
  const { agent } = await session.agent()
  const view = await agent.client.contract(await contractIdFrom(agent, given))
  const { terms, signatures, unsigned, unpinned } = await verifyProposal(agent, view)
  const labelOf = await partyNames(agent)
  const signed = terms.governance.signatories.filter((label) => !unsigned.includes(label))
  return {
    json: {
      contract: view.id,
      name: terms.name,
      state: view.state,
      signed,
      unsigned,
      unpinned,
      terms,
      statements: view.statements.map(({ type, id, digest, index }) => ({ type, id, digest, index })),
      signatures: signatures.map(({ kid, digest }) => ({ party: kid, statement: digest })),
    },
    text: [
      ...facts([
        ['contract', view.id],
        ['name', terms.name],
        ['state', view.state],
        ['signed by', signed.join(', ') || 'nobody'],
        ['not signed by', unsigned.join(', ') || 'nobody'],
        ['not pinned', unpinned.join(', ') || 'nobody'],
        ['valid', `${terms.valid.from} to ${terms.valid.until}`],
      ]),
      ...(view.waitingFor.length === 0 ? [] : [`waits for ${view.waitingFor.map(labelOf).join(', ')}`]),
      '',
      ...table(
        ['entry', 'recorded', 'id'],
        view.statements.map(({ type, id, index }) => [String(index ?? ''), type, id.slice(0, 12)]),
      ),
    ],
    exit: view.state === 'proposed' ? exitCodes.waiting : exitCodes.ok,
  }
}

/** The contract as it would be signed, with every check. */
export async function reviewContractCommand(session: Session, given: string): Promise<Answer> {
  const { agent } = await session.agent()
  const view = await agent.client.contract(await contractIdFrom(agent, given))
  const proposal = await verifyProposal(agent, view)
  const { terms, contract } = proposal
  const checks = await checkBeforeSigning(agent, proposal)
  const failed = checks.filter(({ ok }) => !ok)
  return {
    json: {
      contract: contract.id,
      terms,
      parties: giveAndGet(terms),
      warnings: reviewContract(terms),
      checks,
    },
    text: [
      ...renderContract(terms).trimEnd().split('\n'),
      '',
      ...partyLines(terms),
      '',
      ...warningLines(terms),
      '',
      'CHECKS BEFORE SIGNING',
      ...checks.map(
        ({ check, ok, reason }) =>
          `  ${ok ? 'ok    ' : 'FAILED'}  ${check}${reason === null ? '' : ` (expected ${reason.expected}; seen ${reason.seen}; ${reason.who})`}`,
      ),
      '',
      `contract ${contract.id}`,
      failed.length === 0
        ? `sign it: sealroom contract sign ${contract.id.slice(0, 12)}`
        : `${counted(failed.length, 'check')} not held: it cannot be signed`,
    ],
    exit: failed.length === 0 ? exitCodes.ok : exitCodes.refused,
  }
}

/** What each party gives and gets. */
export function partyLines(terms: ContractTerms): string[] {
  return giveAndGet(terms).flatMap(({ label, gives, gets }) => [
    label,
    ...(gives.length === 0 ? ['  gives nothing'] : gives.map((line) => `  gives ${line}`)),
    ...(gets.length === 0 ? ['  gets nothing'] : gets.map((line) => `  ${line}`)),
  ])
}

/** What a careful reader would stop at. */
export function warningLines(terms: ContractTerms): string[] {
  const warnings = reviewContract(terms)
  if (warnings.length === 0) return ['no warnings']
  return [
    'WARNINGS',
    ...warnings.map(
      ({ severity, path, text, code }) => `  ${severity.toUpperCase().padEnd(7)}  ${path}: ${text} [${code}]`,
    ),
  ]
}
