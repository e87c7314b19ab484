/** What this agent checked in a run, kept for `sealroom run explain`. Wire names, digests and codes only, never data. */
import { rules, type Act, type Refusal } from '#libs/contract'
import type { Agent } from '../agent.js'
import { spaces, type CheckRecord } from '../store/records.js'

type Check = Pick<CheckRecord, 'check' | 'expected' | 'seen' | 'ok'>

/** Adds the checks of one step, unless this step was recorded just so before. */
export async function recordChecks(
  agent: Agent,
  run: string,
  step: string,
  checks: readonly Check[],
): Promise<void> {
  const known = await agent.store.list(spaces.checks, `${run}/${step}/`)
  const same =
    known.length === checks.length && known.every(([, record], index) => sameCheck(record, checks[index]))
  if (same) return
  const at = new Date(agent.now()).toISOString()
  await agent.store.write(
    ...known.map(([key]) => agent.store.remove(spaces.checks, key)),
    ...checks.map(({ check, expected, seen, ok }, index) =>
      agent.store.put(spaces.checks, `${run}/${step}/${String(index).padStart(4, '0')}`, {
        at,
        step,
        check,
        expected,
        seen,
        ok,
      }),
    ),
  )
}

/** Adds the verdict on an act, rule by rule. */
export async function recordDecision(
  agent: Agent,
  run: string,
  act: Act,
  refusals: readonly Refusal[],
): Promise<void> {
  const refused = new Set(refusals.map(({ rule }) => rule))
  const held = rules
    .filter((rule) => rule.acts.includes(act) && !refused.has(rule.name))
    .map(({ name }) => ({ check: name, expected: 'no objection', seen: 'none', ok: true }))
  const objections = refusals.map(({ rule, expected, seen }) => ({ check: rule, expected, seen, ok: false }))
  await recordChecks(agent, run, act, [...objections, ...held])
}

function sameCheck(record: CheckRecord, check: Check | undefined): boolean {
  return record.check === check?.check && record.ok === check.ok && record.seen === check.seen
}
