export * from './errors.js'
export * from './reading/problem.js'
export { parseTerms } from './reading/parse-terms.js'
export * from './terms/terms.js'
export { isName, nameSchema, nameRule } from './terms/names.js'
export { canonicalDecimalOf, compareDecimals, endOfDay, startOfDay } from './terms/quantities.js'
export { roles, type Role } from './terms/parties.js'
export {
  columnTypes,
  columnUses,
  type ColumnType,
  type ColumnUse,
  type ModelInputType,
} from './terms/datasets.js'
export { controlName, controlNames, controlValue, type ControlName } from './terms/controls.js'
export * from './terms/questions.js'
export { contractKind, type ContractPayload } from './signing/contract-statement.js'
export * from './signing/verify-signatures.js'
export * from './signing/lifecycle.js'
export * from './decide/facts.js'
export { reasonsOf, type Refusal, type Verdict } from './decide/verdict.js'
export { decide, rules } from './decide/decide.js'
export { parameterFaults, type ParameterFault } from './decide/parameters.js'
export { guaranteeOf, isModelFile, modelFileText, scoresText } from './review/guarantees.js'
export { renderContract } from './review/render-contract.js'
export { reviewContract, type Finding, type FindingCode } from './review/review-contract.js'
export { diffTerms, type TermsDifference } from './review/diff-terms.js'
export { summaryOf } from './review/party-summary.js'
