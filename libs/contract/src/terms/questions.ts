/** What terms say to the questions that rules, agents and enclaves ask. Pure lookups; nothing is decided here. */
import type { Thumbprint } from '#libs/canonical'
import { controlValue, type Control } from './controls.js'
import type { ComputationTerms, ContractTerms, DatasetTerms, EnclaveTerms, OutputTerms } from './terms.js'

/** The label of the party that has a key; undefined where none has. */
export function labelOf(terms: ContractTerms, key: Thumbprint): string | undefined {
  return Object.entries(terms.parties).find(([, party]) => party.key === key)?.[0]
}

/** The key of a party; undefined where no party has the label. */
export function keyOf(terms: ContractTerms, label: string): Thumbprint | undefined {
  return Object.hasOwn(terms.parties, label) ? terms.parties[label]?.key : undefined
}

/** The keys of parties by label; labels that no party has give none. */
export function keysOf(terms: ContractTerms, labels: readonly string[]): readonly Thumbprint[] {
  return labels.flatMap((label) => keyOf(terms, label) ?? [])
}

/** A computation by name, never a member that every object has. */
export function computationOf(terms: ContractTerms, name: string): ComputationTerms | undefined {
  return Object.hasOwn(terms.computations, name) ? terms.computations[name] : undefined
}

/** A dataset by name. */
export function datasetOf(terms: ContractTerms, name: string): DatasetTerms | undefined {
  return Object.hasOwn(terms.datasets, name) ? terms.datasets[name] : undefined
}

/** An output of a computation by name. */
export function outputOf(computation: ComputationTerms, name: string): OutputTerms | undefined {
  return Object.hasOwn(computation.outputs, name) ? computation.outputs[name] : undefined
}

/** Labels of the owners of datasets, each once, in the contract's order. */
export function dataOwners(terms: ContractTerms, datasets: readonly string[]): readonly string[] {
  return [...new Set(datasets.flatMap((name) => datasetOf(terms, name)?.owners ?? []))]
}

/** Labels of the parties to whom a request is sealed: data owners, named approvers, auditors. */
export function requestReaders(terms: ContractTerms, computation: ComputationTerms): readonly string[] {
  const auditors = Object.entries(terms.parties).flatMap(([label, party]) =>
    party.roles.includes('auditor') ? [label] : [],
  )
  return [
    ...new Set([...dataOwners(terms, computation.over), ...(computation.approvals?.from ?? []), ...auditors]),
  ]
}

/** Keys whose Identity digests an Offer names: every party and every witness. */
export function offerIdentities(terms: ContractTerms): readonly Thumbprint[] {
  return [
    ...new Set([
      ...Object.values(terms.parties).map((party) => party.key),
      ...keysOf(terms, terms.log.witnesses),
    ]),
  ]
}

/**
 * On how many distinct privacy units of every owner each row of an output must rest: the largest of the output's own control
 * and the minimums of all owners of the datasets that are read. At least 1.
 */
export function requiredGroupSize(
  terms: ContractTerms,
  output: OutputTerms,
  datasets: readonly string[],
): number {
  const minimums = datasets.flatMap((name) =>
    Object.values(datasetOf(terms, name)?.minimums ?? {}).map((minimum) => minimum.minimumGroupSize),
  )
  return Math.max(1, controlValue(output.controls, 'minimumGroupSize') ?? 1, ...minimums)
}

/**
 * The controls that the enclave applies, in order: the output's own, with the group size that owners' minimums raise; where
 * owners demand one and the output names none, it comes first.
 */
export function effectiveControls(
  terms: ContractTerms,
  output: OutputTerms,
  datasets: readonly string[],
): readonly Control[] {
  // What is kept sealed leaves nobody's enclave; the outputs made of it pass their own controls.
  if (output.controls.some((control) => 'keep' in control)) return output.controls
  const minimumGroupSize = requiredGroupSize(terms, output, datasets)
  if (output.controls.some((control) => 'minimumGroupSize' in control))
    return output.controls.map((control) => ('minimumGroupSize' in control ? { minimumGroupSize } : control))
  return minimumGroupSize > 1 ? [{ minimumGroupSize }, ...output.controls] : output.controls
}

/** Who must have cosigned a checkpoint for a run on the data of some owners. */
export interface WitnessQuorum {
  /** Witnesses that the contract names; others count for nothing. */
  readonly witnesses: readonly Thumbprint[]
  /** Of these, the data owners of the run: each of them must be there. */
  readonly required: readonly Thumbprint[]
  /** How many witnesses in all. */
  readonly quorum: number
}

/** The witness quorum of a run on the data of `owners`, by label. */
export function witnessQuorum(terms: ContractTerms, owners: readonly string[]): WitnessQuorum {
  return {
    witnesses: keysOf(terms, terms.log.witnesses),
    required: keysOf(terms, owners),
    quorum: terms.log.quorum,
  }
}

/** Whether cosigners meet a quorum: every required one, and so many of the named in all. Repeated cosigners count once. */
export function meetsQuorum(quorum: WitnessQuorum, cosigners: readonly Thumbprint[]): boolean {
  const counted = new Set(cosigners.filter((key) => quorum.witnesses.includes(key)))
  return (
    counted.size >= quorum.quorum &&
    quorum.required.length > 0 &&
    quorum.required.every((key) => counted.has(key))
  )
}

/** Whether the contract accepts simulated enclaves, which protect nothing: only where every entry is one. */
export function isSimulatedOnly(enclaves: readonly EnclaveTerms[]): boolean {
  return enclaves.length > 0 && enclaves.every((entry) => entry.tee === 'simulated')
}
