/** Of every field of a contract: what is expected there, and how a person mends it. A test holds it complete. */
import { nameRule } from '../terms/names.js'
import { agreementGuide } from './guide/agreement-guide.js'
import { cloudEnclaveGuide } from './guide/cloud-enclave-guide.js'
import { computationGuide } from './guide/computation-guide.js'
import { datasetGuide } from './guide/dataset-guide.js'
import { enclaveGuide } from './guide/enclave-guide.js'
import { outputGuide } from './guide/output-guide.js'
import type { Guidance } from './guide/phrases.js'

/** What stands in a field, and what to do where it does not. */
export interface FieldGuide {
  readonly expected: string
  readonly mend: string
}

const guide: Readonly<Record<string, Guidance>> = {
  ...agreementGuide,
  ...enclaveGuide,
  ...cloudEnclaveGuide,
  ...datasetGuide,
  ...computationGuide,
  ...outputGuide,
}

/** The patterns of the guide, for the test that holds it complete. */
export const guidedFields: readonly string[] = Object.keys(guide)

/** What stands in a field. */
export function guideOf(path: readonly (string | number)[]): FieldGuide {
  const found = guidedFields.find((pattern) => matches(pattern === '' ? [] : pattern.split('.'), path))
  const [expected, mend] = guide[found ?? ''] ?? ['a field of a contract', 'See the example contract.']
  return { expected, mend }
}

/** What names of a map must be. */
export const namesGuide: FieldGuide = { expected: nameRule, mend: 'Rename it.' }

function matches(pattern: readonly string[], path: readonly (string | number)[]): boolean {
  return (
    pattern.length === path.length && pattern.every((segment, i) => segment === '*' || segment === path[i])
  )
}
