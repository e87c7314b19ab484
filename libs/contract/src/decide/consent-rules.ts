/** Approvals that the contract names, limits that it sets, and each owner's own will. */
import { keyOf, keysOf, labelOf } from '../terms/questions.js'
import type { Act, VoteFact } from './facts.js'
import { forComputation, list, named, rule, type ContractRef, type Rule } from './rule.js'
import { objection } from './verdict.js'

const beforeData: readonly Act[] = ['admit', 'begin', 'agree', 'accept', 'spend', 'release']
const onceApproved: readonly Act[] = ['begin', 'agree', 'accept', 'spend', 'release', 'start', 'execute']
const byOwner: readonly Act[] = ['agree', 'accept', 'spend', 'release']

export const consentRules: readonly Rule[] = [
  rule(
    'approvals.count',
    onceApproved,
    ['request', 'approvals', 'now'],
    forComputation<'approvals' | 'now'>((computation, { request, approvals, now }, contract) => {
      if (computation.approvals === undefined) return null
      const { from, count } = computation.approvals
      const given = new Set(votes(approvals, from, contract, request.run, now))
      return given.size >= count
        ? null
        : objection(
            `${count} approvals of ${list(from)}`,
            `${given.size}${given.size > 0 ? ` (${list([...given])})` : ''}`,
            list(from.filter((label) => !given.has(label))),
          )
    }),
  ),
  rule(
    'approvals.denied',
    onceApproved.filter((act) => act !== 'start' && act !== 'execute'),
    ['request', 'denials', 'now'],
    forComputation<'denials' | 'now'>((computation, { request, denials, now }, contract) => {
      const denied = votes(denials, computation.approvals?.from ?? [], contract, request.run, now)
      return denied.length === 0
        ? null
        : objection('no denial by a named approver', `denied by ${list(denied)}`, list(denied))
    }),
  ),
  rule(
    'limit.runs',
    beforeData,
    ['request', 'usage'],
    forComputation<'usage'>((computation, { usage }) =>
      usage.runs < computation.limit
        ? null
        : objection(
            `fewer than ${computation.limit} runs spent before`,
            String(usage.runs),
            'the signatories, by an amendment',
          ),
    ),
  ),
  rule(
    'limit.failures',
    beforeData,
    ['request', 'usage'],
    forComputation<'usage'>((computation, { usage }) => {
      const allowed = computation.failures + usage.failuresAllowedMore
      return usage.failures < allowed
        ? null
        : objection(
            `fewer than ${allowed} failed runs before`,
            String(usage.failures),
            'each data owner, with its consent key',
          )
    }),
  ),
  rule('owner.involved', byOwner, ['request', 'self'], ({ request, self }) =>
    request.inputs.some((input) => input.owner === self)
      ? null
      : objection('a run on this owner’s data', 'none of its inputs', 'the requester, by a new request'),
  ),
  rule('owner.consent', byOwner, ['consent', 'self'], ({ consent, self }, contract) =>
    consent === 'agreed'
      ? null
      : objection(
          `the consent of ${named(contract, self)}`,
          consent,
          `a person of ${named(contract, self)}, with \`sealroom approve\`, or its house rules`,
        ),
  ),
  rule(
    'owner.caughtUp',
    ['accept', 'spend', 'release'],
    ['caughtUp', 'self'],
    ({ caughtUp, self }, contract) =>
      caughtUp
        ? null
        : objection(
            'an agent that has read the log since its start',
            `${named(contract, self)} has not yet`,
            'the other data owners, by cosigning a checkpoint',
          ),
  ),
  rule(
    'reseal.due',
    byOwner,
    ['request', 'self', 'sealings', 'now'],
    ({ request, self, sealings, now }, contract) =>
      request.inputs
        .filter((input) => input.owner === self)
        .flatMap((input) => {
          const { datasets } = contract.terms
          const reseal = Object.hasOwn(datasets, input.dataset) ? datasets[input.dataset]?.reseal : undefined
          if (reseal === undefined) return []
          const sealing = sealings.find((own) => own.dataset === input.dataset)
          const worn = sealing === undefined || sealing.releases >= (reseal.afterReleases ?? Infinity)
          const old =
            sealing === undefined || !(now - sealing.sealedAt < (reseal.afterDays ?? Infinity) * 86_400_000)
          return worn || old
            ? objection(
                `${input.dataset} sealed anew in time`,
                sealing === undefined
                  ? 'nothing known of its sealing'
                  : `${sealing.releases} releases since it was sealed`,
                named(contract, self),
              )
            : []
        }),
  ),
  rule(
    'approver.named',
    ['approve'],
    ['request', 'approver'],
    forComputation<'approver'>((computation, { approver }, contract) => {
      const from = computation.approvals?.from ?? []
      return keysOf(contract.terms, from).includes(approver.by)
        ? null
        : objection(`one of ${list(from)}`, named(contract, approver.by), 'the signatories, by an amendment')
    }),
  ),
  rule('approver.unexpired', ['approve'], ['approver', 'now'], ({ approver, now }) =>
    Date.parse(approver.expiresAt) > now
      ? null
      : objection('a vote that has not expired', `expired at ${approver.expiresAt}`, 'the approver'),
  ),
]

/** Labels of named approvers with an unexpired vote on this run, each once. */
function votes(
  given: readonly VoteFact[],
  from: readonly string[],
  contract: ContractRef,
  run: string,
  now: number,
): string[] {
  const counted = given.filter(
    (vote) =>
      vote.run === run &&
      vote.contract === contract.id &&
      Date.parse(vote.expiresAt) > now &&
      from.some((label) => keyOf(contract.terms, label) === vote.by),
  )
  return [...new Set(counted.flatMap((vote) => labelOf(contract.terms, vote.by) ?? []))]
}
