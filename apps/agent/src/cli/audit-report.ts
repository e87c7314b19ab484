/** An audit for people: what was checked, by kind of act, then what is broken and what stayed open. */
import type { AuditReport } from '../audit/audit.js'
import type { Breach } from '../audit/finding.js'
import { counted, facts, table } from './table.js'

/** More of a kind are counted, not printed; `--json` has all. */
const maximumShown = 50

export function auditLines(report: AuditReport, offline: boolean): string[] {
  const { name, contract, leaves, elsewhere, cosignedTo, checkpoints, runs, rules, simulated, hardware } =
    report
  return [
    `${name} (${contract})`,
    '',
    ...(simulated
      ? ['SIMULATED: enclaves of this contract were simulated; nothing protected the data of their runs', '']
      : []),
    ...table(
      ['act', 'verified', 'not shown'],
      report.acts.map(({ type, verified, hidden }) => [type, String(verified), String(hidden)]),
    ),
    '',
    ...facts([
      ['entries', `${leaves}, ${elsewhere} of them of other contracts and parties`],
      ['runs', String(runs)],
      ...hardware.map((text): [string, string] => ['hardware', text]),
      ['checkpoints', `${checkpoints}; the contract’s quorum cosigned up to entry ${cosignedTo}`],
      ['rules', `${rules} asked`],
    ]),
    ...findings('BROKEN', report.breaches.map(breachLine)),
    ...findings(
      'OPEN',
      report.gaps.map(({ rule, entry, what, why }) => `${rule}${at(entry)}: not established ${what}: ${why}`),
    ),
    '',
    verdictOf(report),
    ...(offline
      ? [`whether the log went on after entry ${leaves}, and how, a file cannot say: ask the coordinator`]
      : []),
    '',
  ]
}

function verdictOf({ holds, breaches, gaps }: AuditReport): string {
  if (!holds)
    return `the record does NOT hold: ${counted(breaches.length, 'breach').replace(/breachs$/, 'breaches')}`
  return gaps.length === 0
    ? 'the record holds'
    : `the record holds as far as it was shown: ${counted(gaps.length, 'thing')} could not be established`
}

function breachLine({ rule, entry, expected, seen }: Breach): string {
  return `${rule}${at(entry)}: expected ${expected}; seen ${seen}`
}

function at(entry: Breach['entry']): string {
  if (entry === null) return ''
  const where = entry.index === null ? '' : `, entry ${entry.index}`
  return `${where}, ${entry.type} ${entry.id}`.trimEnd()
}

function findings(mark: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  const rest = lines.length - maximumShown
  return [
    '',
    ...lines.slice(0, maximumShown).map((line) => `${mark}  ${line}`),
    ...(rest > 0 ? [`and ${rest} more: see --json`] : []),
  ]
}
