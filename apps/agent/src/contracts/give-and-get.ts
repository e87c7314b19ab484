/** A contract seen from each party: what it would give and what it would get, in plain words. */
import {
  effectiveControls,
  guaranteeOf,
  inputsOf,
  isModelFile,
  modelFileText,
  scoresText,
  type ComputationTerms,
  type ContractTerms,
} from '#libs/contract'

export interface PartyView {
  readonly label: string
  readonly gives: readonly string[]
  readonly gets: readonly string[]
}

/** One view for each party, in the contract's order. */
export function giveAndGet(terms: ContractTerms): readonly PartyView[] {
  return Object.entries(terms.parties).map(([label, { roles }]) => ({
    label,
    gives: giveOf(terms, label),
    gets: [
      ...getOf(terms, label),
      ...(roles.includes('auditor')
        ? ['may check every receipt of the contract, and reads the parameters of every request']
        : []),
    ],
  }))
}

function giveOf(terms: ContractTerms, label: string): readonly string[] {
  return Object.entries(terms.datasets)
    .filter(([, { owners }]) => owners.includes(label))
    .map(([name, dataset]) => {
      const readers = Object.entries(terms.computations).filter(([, one]) => inputsOf(one).includes(name))
      const runs = readers.map(
        ([computation, { limit, requesters }]) =>
          `${computation} (asked by ${requesters.join(', ')}, at most ${limit} runs)`,
      )
      const what =
        dataset.kind === 'table'
          ? `${Object.keys(dataset.columns).length} columns of ${name}`
          : `the model ${name}, whose weights nobody is shown`
      return runs.length === 0
        ? `${what}, which nothing reads`
        : `${what}, sealed, read inside an enclave by ${runs.join('; ')}`
    })
}

function getOf(terms: ContractTerms, label: string): readonly string[] {
  return Object.entries(terms.computations).flatMap(([name, computation]) => [
    ...(computation.requesters.includes(label) ? [`may ask for ${name}`] : []),
    ...(computation.approvals?.from.includes(label) === true
      ? [
          `is asked to approve each run of ${name} (${computation.approvals.count} of ${computation.approvals.from.length} must)`,
        ]
      : []),
    ...outputsOf(terms, name, computation, label),
  ])
}

function outputsOf(
  terms: ContractTerms,
  name: string,
  computation: ComputationTerms,
  label: string,
): readonly string[] {
  return Object.entries(computation.outputs)
    .filter(([, { recipients }]) => recipients.includes(label))
    .map(([output, declared]) => {
      const sentences = [
        ...(isModelFile(computation, output, declared) ? [modelFileText] : []),
        ...(computation.kind === 'infer' ? [scoresText(terms, computation, declared)] : []),
        ...effectiveControls(terms, declared, computation.over).map(guaranteeOf),
      ]
      return `gets ${name}.${output}. ${sentences.join(' ')}`
    })
}
