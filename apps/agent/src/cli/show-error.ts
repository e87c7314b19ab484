/** Errors for people: one message that says what, where, expected, seen and how to mend; refusals rule by rule; no stack. */
import { CodedError } from '#libs/canonical'
import { ClientError } from '#libs/client'
import { ContractError } from '#libs/contract'
import type { RefusalReason } from '#libs/protocol'
import { reasonOf } from '../durable-file.js'
import { AgentError } from '../errors.js'

/** What of an error is shown, in text and in JSON. */
export interface ShownError {
  readonly code: string
  readonly message: string
  readonly reasons: readonly RefusalReason[]
  readonly problems: readonly string[]
}

export function shownError(error: unknown): ShownError {
  const reasons = error instanceof AgentError ? error.reasons : refusalsOf(error)
  if (error instanceof ContractError)
    return { code: error.code, message: error.message, reasons, problems: error.problems.map(problemLine) }
  if (error instanceof CodedError)
    return { code: error.code as string, message: error.message, reasons, problems: [] }
  if (error instanceof Error && 'code' in error && 'syscall' in error)
    return { code: String(error.code), message: `${pathOf(error)}${reasonOf(error)}`, reasons, problems: [] }
  const message = error instanceof Error ? error.message : 'unknown'
  return {
    code: 'FAULT',
    message: `this is a fault in sealroom; please report it: ${message}`,
    reasons,
    problems: [],
  }
}

/** The lines in which an error is printed. */
export function errorLines(shown: ShownError): string[] {
  return [
    `sealroom: ${shown.message} [${shown.code}]`,
    ...shown.problems.map((problem) => `  - ${problem}`),
    ...refusalLines(shown.reasons),
  ]
}

/** Refusals, rule by rule. */
export function refusalLines(reasons: readonly RefusalReason[]): string[] {
  return reasons.flatMap(({ rule, expected, seen, who, text }, index) => [
    `  ${index + 1}. ${rule}: ${text}`,
    `     expected  ${expected}`,
    `     seen      ${seen}`,
    `     who can change it  ${who}`,
  ])
}

function problemLine(problem: ContractError['problems'][number]): string {
  const place = problem.line === null ? '' : `line ${problem.line}, column ${problem.column ?? 1}: `
  const field = problem.path === '' ? 'the contract' : problem.path
  return `${place}${field}: expected ${problem.expected}; seen ${problem.seen}. ${problem.mend}`
}

function refusalsOf(error: unknown): readonly RefusalReason[] {
  return error instanceof ClientError ? (error.problem?.refusals ?? []) : []
}

function pathOf(error: Error): string {
  return 'path' in error && typeof error.path === 'string' ? `${error.path}: ` : ''
}
