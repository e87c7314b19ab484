/** The contract is in force, now, and this owner signed it. */
import { endOfDay, startOfDay } from '../terms/quantities.js'
import { keysOf } from '../terms/questions.js'
import type { Act } from './facts.js'
import { rule, type Rule } from './rule.js'
import { objection } from './verdict.js'

const underContract: readonly Act[] = [
  'admit',
  'begin',
  'agree',
  'accept',
  'spend',
  'release',
  'renew',
  'start',
  'execute',
  'approve',
]

export const contractRules: readonly Rule[] = [
  rule('contract.active', underContract, ['standing'], ({ standing }) =>
    standing.activatedAt === null
      ? objection('an Activation in the log', 'none', 'the signatories by signing, then the coordinator')
      : null,
  ),
  rule('contract.valid', underContract, ['now'], ({ now }, { terms }) =>
    // Written so that a time that is no number refuses.
    now >= startOfDay(terms.valid.from) && now <= endOfDay(terms.valid.until)
      ? null
      : objection(
          `a time from ${terms.valid.from} to ${terms.valid.until}, UTC`,
          instant(now),
          'the signatories, by an amendment',
        ),
  ),
  rule('contract.superseded', underContract, ['standing'], ({ standing }) =>
    standing.supersededBy === null
      ? null
      : objection(
          'a contract that no other supersedes',
          `superseded by ${standing.supersededBy}`,
          'the requester, under the new contract',
        ),
  ),
  rule('contract.revoked', underContract, ['standing', 'now'], ({ standing, now }, { terms }) =>
    standing.ended !== null && !(standing.ended.from > now)
      ? objection(
          'a contract that was not ended',
          'ended by a Revocation',
          `the signatories (${terms.governance.signatories.join(', ')}), by a new contract`,
        )
      : null,
  ),
  rule(
    'contract.ownSignature',
    ['agree', 'accept', 'spend', 'release', 'renew'],
    ['self'],
    ({ self }, { terms }) =>
      keysOf(terms, terms.governance.signatories).includes(self)
        ? null
        : objection(
            'a contract that this agent signed',
            'one without its signature',
            'nobody: this agent releases only under what it signed',
          ),
  ),
]

function instant(now: number): string {
  return Number.isFinite(now) && Math.abs(now) < 8.64e15 ? new Date(now).toISOString() : 'no time'
}
