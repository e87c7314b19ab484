/** A run explained: what every side did, what it refused, and every check that this agent made. */
import type { RunExplanation } from '../daemon/explain.js'
import { refusalLines } from './show-error.js'
import { facts, table } from './table.js'

export function explanationLines(explanation: RunExplanation): string[] {
  const { acts, refusals, ownReasons, ownChecks, ownWaiting, receipt } = explanation
  return [
    ...facts([
      ['run', explanation.run],
      ['computation', explanation.computation],
      ['state', `${explanation.state}, as the coordinator tells it`],
      ...(explanation.endedBecause === null ? [] : ([['because', explanation.endedBecause]] as const)),
      ...(ownWaiting === null || ownWaiting === '' ? [] : ([['this agent waits for', ownWaiting]] as const)),
    ]),
    '',
    'WHAT WAS SIGNED, in the order in which it was recorded',
    ...table(
      ['entry', 'act', 'by'],
      acts.map(({ type, by, entry }) => [entry === null ? 'not logged' : String(entry), type, nameOf(by)]),
    ).map(indented),
    ...refusals.flatMap(({ by, step, reasons }) => [
      '',
      `${by} refused (${step}):`,
      ...refusalLines(reasons),
    ]),
    ...(ownReasons.length === 0 ? [] : ['', 'Why this agent did nothing:', ...refusalLines(ownReasons)]),
    ...(ownChecks.length === 0 ? [] : ['', 'WHAT THIS AGENT CHECKED', ...ownCheckLines(ownChecks)]),
    ...(receipt === null ? [] : ['', ...verdictLines(receipt)]),
  ]
}

// Rules without an objection are named in one paragraph for each step; everything with something to show has its own line.
function ownCheckLines(checks: RunExplanation['ownChecks']): string[] {
  const steps = [...new Set(checks.map(({ step }) => step))]
  return steps.flatMap((step) => {
    const own = checks.filter((check) => check.step === step)
    const silent = own.filter(({ ok, seen }) => ok && seen === 'none').map(({ check }) => check)
    const telling = own.filter(({ ok, seen }) => !ok || seen !== 'none')
    return [
      ...telling.flatMap(({ check, ok, expected, seen }) =>
        checkLine(`${step}: ${check}`, ok, expected, seen),
      ),
      ...(silent.length === 0 ? [] : wrapped(`  ok      ${step}, no objection by: `, silent)),
    ]
  })
}

function wrapped(head: string, words: readonly string[]): string[] {
  const lines: string[] = []
  let line = head
  for (const [index, word] of words.entries()) {
    const next = `${word}${index === words.length - 1 ? '' : ', '}`
    if (line.length + next.length > 118 && line.trim() !== '') {
      lines.push(line.trimEnd())
      line = ' '.repeat(10)
    }
    line += next
  }
  return [...lines, line]
}

// Keys that no party has are those of an enclave, fresh for the run.
function nameOf(by: string): string {
  return /^[A-Za-z0-9_-]{43}$/.test(by) ? `enclave ${by.slice(0, 12)}…` : by
}

/** The verdict on a receipt, check by check. */
export function verdictLines(verdict: NonNullable<RunExplanation['receipt']>): string[] {
  return [
    `RECEIPT: ${verdict.ok ? 'every check holds' : 'NOT TO BE BELIEVED: a check failed'}`,
    ...(verdict.simulated ? ['  SIMULATED: the enclave was simulated; nothing protected the data'] : []),
    ...verdict.hardware.map((line) => `  hardware: ${line}`),
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
