/** What terms say to the questions that rules, agents and enclaves ask. Pure lookups; nothing is decided here. */
import type { Thumbprint } from '#libs/canonical'
import { controlName, controlValue, type Control } from './controls.js'
import type {
  ComputationTerms,
  ContractTerms,
  DatasetTerms,
  EnclaveTerms,
  InferTerms,
  OutputTerms,
} from './terms.js'

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

/** Where the model of an inference comes from. A name of a dataset holds no point, so the two cannot be taken for each other. */
export type ModelSource =
  | { readonly kind: 'dataset'; readonly dataset: string }
  | { readonly kind: 'kept'; readonly computation: string; readonly output: string }

/** What the field `model` of an inference names. */
export function modelSourceOf({ model }: Pick<InferTerms, 'model'>): ModelSource {
  const [name = '', ...output] = model.split('.')
  return output.length === 0
    ? { kind: 'dataset', dataset: name }
    : { kind: 'kept', computation: name, output: output.join('.') }
}

/**
 * Every dataset that a run opens: the tables that it is over, and the model that it applies. Each owner of each of them decides, spends
 * and releases; `over` alone says whose rows are read.
 */
export function inputsOf(computation: ComputationTerms): readonly string[] {
  if (computation.kind !== 'infer') return computation.over
  const source = modelSourceOf(computation)
  return source.kind === 'dataset' ? [...new Set([...computation.over, source.dataset])] : computation.over
}

/** Labels of the owners of datasets, each once, in the contract's order. */
export function dataOwners(terms: ContractTerms, datasets: readonly string[]): readonly string[] {
  return [...new Set(datasets.flatMap((name) => datasetOf(terms, name)?.owners ?? []))]
}

/**
 * Owners, other than `owner`, whose rows may be part of a row that is `owner`'s: those of the tables that it is joined with. Where
 * `owner` has a part in one table alone, the other owners of that table are not among them, since its UNION ALL keeps their rows apart.
 */
export function ownersBehind(
  terms: Pick<ContractTerms, 'datasets'>,
  over: readonly string[],
  owner: string,
): readonly string[] {
  const tables = over.flatMap((name) => {
    const dataset = Object.hasOwn(terms.datasets, name) ? terms.datasets[name] : undefined
    return dataset?.kind === 'table' ? [dataset] : []
  })
  const home = tables.filter(({ owners }) => owners.includes(owner))
  const joined = home.length === 1 ? tables.filter((table) => !home.includes(table)) : tables
  return [...new Set(joined.flatMap(({ owners }) => owners))].filter((label) => label !== owner)
}

/** Labels of the parties to whom a request is sealed: data owners, named approvers, auditors. */
export function requestReaders(terms: ContractTerms, computation: ComputationTerms): readonly string[] {
  const auditors = Object.entries(terms.parties).flatMap(([label, party]) =>
    party.roles.includes('auditor') ? [label] : [],
  )
  return [
    ...new Set([
      ...dataOwners(terms, inputsOf(computation)),
      ...(computation.approvals?.from ?? []),
      ...auditors,
    ]),
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
 * and the minimums of all owners of the datasets that are read. At least 1; and 1 of what is made of one owner's rows for that owner,
 * where only people whom it has brought itself are told of, and no other owner may demand a group (`checkScores`).
 */
export function requiredGroupSize(
  terms: ContractTerms,
  output: OutputTerms,
  datasets: readonly string[],
): number {
  if (output.rowsOf !== undefined) return 1
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

/** What a Receipt names of the controls of an output: group sizes and owners of rows, of the others the names that the contract explains. */
export function controlTitles(
  terms: ContractTerms,
  output: OutputTerms,
  datasets: readonly string[],
): readonly string[] {
  return [
    ...(output.rowsOf === undefined ? [] : [`rowsOf ${output.rowsOf}`]),
    ...effectiveControls(terms, output, datasets).map((control) =>
      'minimumGroupSize' in control ? `minimumGroupSize ${control.minimumGroupSize}` : controlName(control),
    ),
  ]
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
