/**
 * From what people write to what they sign: YAML to canonical terms, every mistake told at once with its place. Guards that the
 * canonical form is complete and has one spelling. Says nothing about whether the terms are wise; that is `reviewContract`.
 */
import { canonicalJson, CodedError } from '#libs/canonical'
import { ContractError } from '../errors.js'
import { contractTermsSchema, type ContractTerms } from '../terms/terms.js'
import { draftOf } from './draft.js'
import { explainIssues } from './explain-issues.js'
import { fillDefaults, type ProposalFields } from './fill-defaults.js'
import { problemText, type Mistake, type Problem } from './problem.js'
import { readYaml, type YamlText } from './read-yaml.js'
import { checkReferences } from './references.js'

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

/**
 * Reads terms that must already be canonical: complete, in the one spelling, and fitting. For terms inside a statement.
 * @throws ContractError `TERMS_INVALID`, `TERMS_NOT_CANONICAL`.
 */
export function parseTerms(value: unknown): ContractTerms {
  const reading = readTerms(value)
  if (reading.terms === null)
    throw invalidTerms(
      reading.mistakes.map((mistake) => placed(mistake, null)),
      'TERMS_INVALID',
    )
  if (canonicalText(value) !== canonicalText(reading.terms))
    throw new ContractError(
      'TERMS_NOT_CANONICAL',
      'the terms leave out a default or spell a number in another way than the canonical form',
    )
  return reading.terms
}

type TermsReading =
  { readonly terms: ContractTerms } | { readonly terms: null; readonly mistakes: readonly Mistake[] }

function readTerms(value: unknown): TermsReading {
  const parsed = contractTermsSchema.safeParse(value)
  const mistakes = parsed.success ? [] : explainIssues(contractTermsSchema, value, parsed.error.issues)
  const all = withoutRepeats([...mistakes, ...checkReferences(draftOf(value))])
  if (parsed.success && all.length === 0) return { terms: parsed.data }
  return { terms: null, mistakes: all }
}

function withoutRepeats(mistakes: readonly Mistake[]): readonly Mistake[] {
  const seen = new Set<string>()
  return mistakes.filter((mistake) => {
    const id = JSON.stringify([mistake.path, mistake.expected, mistake.seen])
    return seen.has(id) ? false : seen.add(id)
  })
}

function inOrder(mistakes: readonly Mistake[], text: YamlText): readonly Problem[] {
  // A value that the notation forbids reads as nothing; what the schema says of it would only repeat that.
  const refused = new Set(text.mistakes.map((mistake) => JSON.stringify(mistake.path)))
  return mistakes
    .filter((mistake) => text.mistakes.includes(mistake) || !refused.has(JSON.stringify(mistake.path)))
    .map((mistake) => placed(mistake, text))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}

function placed(mistake: Mistake, text: YamlText | null): Problem {
  const place = text?.placeOf(mistake.path, mistake.at)
  return {
    path: mistake.path.join('.'),
    line: place?.line ?? null,
    column: place?.column ?? null,
    expected: mistake.expected,
    seen: mistake.seen,
    mend: mistake.mend,
  }
}

function invalidTerms(
  problems: readonly Problem[],
  code: 'TERMS_INVALID' | 'YAML_NOT_ALLOWED',
): ContractError {
  const shownProblems = problems.slice(0, 20).map(problemText)
  const more = problems.length > 20 ? [`and ${problems.length - 20} more`] : []
  return new ContractError(
    code,
    [
      problems.length === 1 ? 'one mistake in the contract' : `${problems.length} mistakes in the contract`,
      ...shownProblems,
      ...more,
    ].join('\n'),
    { problems },
  )
}

function canonicalText(value: unknown): string {
  try {
    return canonicalJson(value)
  } catch (cause) {
    if (cause instanceof CodedError) throw new ContractError('TERMS_NOT_CANONICAL', cause.message, { cause })
    throw cause
  }
}
