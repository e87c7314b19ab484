/** A run explained: what every side did, what it refused, and every check that this agent made. */
import type { RunExplanation } from '../daemon/explain.js'
import { refusalLines } from './show-error.js'
import { facts, table } from './table.js'

export function explanationLines(explanation: RunExplanation): string[] {
  const { acts, refusals, ownReasons, ownChecks, receipt } = explanation
  return [
    ...facts([
      ['run', explanation.run],
      ['computation', explanation.computation],
      ['state', `${explanation.state}, as the coordinator tells it`],
      ...(explanation.endedBecause === null ? [] : ([['because', explanation.endedBecause]] as const)),
      ...(explanation.ownWaiting === null
        ? []
        : ([['this agent waits for', explanation.ownWaiting]] as const)),
    ]),
    '',
    'WHAT WAS SIGNED, in the order in which it was recorded',
    ...table(
      ['entry', 'act', 'by'],
      acts.map(({ type, by, entry }) => [entry === null ? 'not logged' : String(entry), type, by]),
    ).map(indented),
    ...refusals.flatMap(({ by, step, reasons }) => [
      '',
      `${by} refused (${step}):`,
      ...refusalLines(reasons),
    ]),
    ...(ownReasons.length === 0 ? [] : ['', 'Why this agent did nothing:', ...refusalLines(ownReasons)]),
    ...(ownChecks.length === 0
      ? []
      : [
          '',
          'WHAT THIS AGENT CHECKED',
          ...ownChecks.flatMap(({ step, check, ok, expected, seen }) =>
            checkLine(`${step}: ${check}`, ok, expected, seen),
          ),
        ]),
    ...(receipt === null ? [] : ['', ...verdictLines(receipt)]),
  ]
}

/** The verdict on a receipt, check by check. */
export function verdictLines(verdict: NonNullable<RunExplanation['receipt']>): string[] {
  return [
    `RECEIPT: ${verdict.ok ? 'every check holds' : 'NOT TO BE BELIEVED: a check failed'}`,
    ...(verdict.simulated ? ['  SIMULATED: the enclave was simulated; nothing protected the data'] : []),
    ...verdict.checks.flatMap(({ check, ok, expected, seen }) => checkLine(check, ok, expected, seen)),
  ]
}

function checkLine(check: string, ok: boolean, expected: string, seen: string): string[] {
  if (ok) return [`  ok      ${check}: ${short(seen)}`]
  return [
    `  FAILED  ${check}`,
    `            expected  ${short(expected)}`,
    `            seen      ${short(seen)}`,
  ]
}

function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text
}

function indented(line: string): string {
  return `  ${line}`
}
