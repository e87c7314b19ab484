/** What one party gives, may do and gets under a contract, in plain sentences. */
import { dataOwners, inputsOf } from '../terms/questions.js'
import type { ContractTerms } from '../terms/terms.js'

/** Sentences about one party, each beginning with its label. */
export function summaryOf(terms: ContractTerms, label: string): readonly string[] {
  const { computations, datasets, governance, log, parties } = terms
  const named = (test: (name: string) => boolean, among: object) => Object.keys(among).filter(test)
  const gives = named((name) => datasets[name]?.owners.includes(label) === true, datasets)
  const readBy = named(
    (name) =>
      computations[name] !== undefined && dataOwners(terms, inputsOf(computations[name])).includes(label),
    computations,
  )
  const asks = named((name) => computations[name]?.requesters.includes(label) === true, computations)
  const approves = named((name) => computations[name]?.approvals?.from.includes(label) === true, computations)
  const gets = Object.entries(computations).flatMap(([name, computation]) =>
    Object.entries(computation.outputs)
      .filter(([, output]) => output.recipients.includes(label))
      .map(([output]) => `${output} of ${name}`),
  )
  const lines = [
    gives.length > 0 && `gives ${and(gives)}, read by ${and(readBy) || 'no computation'}`,
    asks.length > 0 && `may ask for ${and(asks)}`,
    approves.length > 0 && `decides on runs of ${and(approves)}`,
    gets.length > 0 && `gets ${and(gets)}`,
    parties[label]?.roles.includes('auditor') === true && 'audits: reads the record and every request',
    governance.signatories.includes(label) ? 'signs' : 'does not sign',
    log.witnesses.includes(label) && 'cosigns the record',
  ]
  return lines.filter((line) => line !== false).map((line) => `${label} ${line}.`)
}

function and(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}
