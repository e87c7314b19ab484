/**
 * Terms from a value that is already plain: the path of every statement. Carries no YAML, so that an enclave that reads signed
 * contracts carries none either.
 */
import { canonicalJson, CodedError } from '#libs/canonical'
import { ContractError } from '../errors.js'
import { contractTermsSchema, type ContractTerms } from '../terms/terms.js'
import { draftOf } from './draft.js'
import { explainIssues } from './explain-issues.js'
import { problemText, type Mistake, type Place, type Problem } from './problem.js'
import { checkReferences } from './references.js'

/**
 * Reads terms that must already be canonical: complete, in the one spelling, and fitting. For terms inside a statement.
 * @throws ContractError `TERMS_INVALID`, `TERMS_NOT_CANONICAL`.
 */
export function parseTerms(value: unknown): ContractTerms {
  const reading = readTerms(value)
  if (reading.terms === null)
    throw invalidTerms(
      reading.mistakes.map((mistake) => problemOf(mistake, null)),
      'TERMS_INVALID',
    )
  if (canonicalText(value) !== canonicalText(reading.terms))
    throw new ContractError(
      'TERMS_NOT_CANONICAL',
      'the terms leave out a default or spell a number in another way than the canonical form',
    )
  return reading.terms
}

/** Terms, or every mistake in them. */
export type TermsReading =
  { readonly terms: ContractTerms } | { readonly terms: null; readonly mistakes: readonly Mistake[] }

/** Reads terms by schema and references; defaults that schemas know are filled. */
export function readTerms(value: unknown): TermsReading {
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

/** A mistake with its place. */
export function problemOf(mistake: Mistake, place: Place | null): Problem {
  return {
    path: mistake.path.join('.'),
    line: place?.line ?? null,
    column: place?.column ?? null,
    expected: mistake.expected,
    seen: mistake.seen,
    mend: mistake.mend,
  }
}

/** The error that tells problems. */
export function invalidTerms(
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
