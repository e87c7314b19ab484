/**
 * From what people write to what they sign: YAML to canonical terms, every mistake told at once with its place. Guards that the
 * canonical form is complete and has one spelling. Says nothing about whether the terms are wise; that is `reviewContract`.
 */
import type { ContractTerms } from '../terms/terms.js'
import { fillDefaults, type ProposalFields } from './fill-defaults.js'
import { invalidTerms, problemOf, readTerms } from './parse-terms.js'
import type { Mistake, Problem } from './problem.js'
import { readYaml, type YamlText } from './read-yaml.js'

/** What a check of a YAML text found: the terms, where there is no mistake, and every mistake. */
export type ContractReading =
  | { readonly terms: ContractTerms; readonly problems: readonly [] }
  | { readonly terms: null; readonly problems: readonly Problem[] }

/**
 * Reads a contract from YAML. Mistakes are values here; only text that is no YAML at all throws.
 * @param proposal - fields that `propose` makes; they fill what the text leaves out and never replace what it says.
 * @throws ContractError `YAML_TOO_LARGE`, `YAML_MALFORMED`.
 */
export function readContract(yaml: string, proposal: ProposalFields = {}): ContractReading {
  const text = readYaml(yaml)
  const filled = fillDefaults(text.value, proposal)
  const reading = readTerms(filled)
  const mistakes = [...text.mistakes, ...(reading.terms === null ? reading.mistakes : [])]
  if (reading.terms !== null && mistakes.length === 0) return { terms: reading.terms, problems: [] }
  return { terms: null, problems: inOrder(mistakes, text) }
}

/**
 * The canonical terms of a YAML contract.
 * @throws ContractError `TERMS_INVALID` with every problem, `YAML_NOT_ALLOWED` where the only faults are of notation, and the
 * codes of {@link readContract}.
 */
export function canonicalTerms(yaml: string, proposal: ProposalFields = {}): ContractTerms {
  const reading = readContract(yaml, proposal)
  if (reading.terms !== null) return reading.terms
  const notation = readYaml(yaml).mistakes.length === reading.problems.length
  throw invalidTerms(reading.problems, notation ? 'YAML_NOT_ALLOWED' : 'TERMS_INVALID')
}

function inOrder(mistakes: readonly Mistake[], text: YamlText): readonly Problem[] {
  // A value that the notation forbids reads as nothing; what the schema says of it would only repeat that.
  const refused = new Set(text.mistakes.map((mistake) => JSON.stringify(mistake.path)))
  return mistakes
    .filter((mistake) => text.mistakes.includes(mistake) || !refused.has(JSON.stringify(mistake.path)))
    .map((mistake) => problemOf(mistake, text.placeOf(mistake.path, mistake.at)))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}
