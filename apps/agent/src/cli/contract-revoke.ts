import { signStatement } from '#libs/canonical'
import { revocationKind, type Revocation } from '#libs/protocol'
import { activeContract, contractIdFrom } from '../contracts/active-contract.js'
import { AgentError } from '../errors.js'
import { newStatement } from '../trust/new-statement.js'
import type { Session } from './session.js'
import type { Answer } from './world.js'

export interface RevokeOptions {
  readonly reason: string
  readonly chip?: string
  readonly measurement?: string
}

/**
 * Ends a contract, or the use of a chip or a build under it.
 * @throws AgentError `USAGE`.
 */
export async function revokeCommand(
  session: Session,
  given: string,
  { reason, ...named }: RevokeOptions,
): Promise<Answer> {
  const { agent } = await session.agent()
  const subject = subjectOf(named)
  const contract = await activeContract(agent, await contractIdFrom(agent, given))
  const consent = await session.consentKey(`revoke under contract ${contract.terms.name}`)
  const statement = await signStatement(
    revocationKind,
    {
      ...newStatement(agent, 'revocation'),
      contract: contract.id,
      subject,
      from: new Date(agent.now()).toISOString(),
      reason,
    },
    consent,
  )
  const recorded = await agent.client.record(statement.jws)
  const where = `(entry ${recorded.index ?? '?'} of the log)`
  return {
    json: { contract: contract.id, revocation: statement.id, subject, index: recorded.index },
    text: [
      subject.kind === 'contract'
        ? `contract ${contract.terms.name} is ended ${where}: no agent releases anything under it any more`
        : `a ${subject.kind} is revoked under contract ${contract.terms.name} ${where}: no agent gives it anything, and leases on it end`,
    ],
  }
}

function subjectOf({ chip, measurement }: Omit<RevokeOptions, 'reason'>): Revocation['subject'] {
  if (chip !== undefined && measurement !== undefined)
    throw new AgentError('USAGE', '--chip and --measurement are two revocations: make one after the other')
  // A mistyped id would revoke nothing and look as if it had.
  if (chip !== undefined) return { kind: 'chip', chip: hexadecimal('--chip', chip, [32, 64]) }
  if (measurement === undefined) return { kind: 'contract' }
  return { kind: 'build', measurement: hexadecimal('--measurement', measurement, [32, 48]) }
}

function hexadecimal(flag: string, given: string, bytes: readonly number[]): string {
  const value = given.toLowerCase()
  if (/^[0-9a-f]*$/.test(value) && bytes.some((length) => value.length === 2 * length)) return value
  const lengths = bytes.map((length) => 2 * length).join(' or ')
  throw new AgentError('USAGE', `${flag}: expected ${lengths} hexadecimal characters; seen ${value.length}`)
}
