/** Reading what a `sealroom` command answered. */
import type { Said } from './stack/party.js'

/** A text field of an answer. */
export function text(value: unknown): string {
  if (typeof value !== 'string')
    throw new Error(`expected a text in the answer; got ${JSON.stringify(value)}`)
  return value
}

/** What a command said when it refused, with every reason; or that it did not refuse. */
export function errorOf(said: Said): string {
  if (said.exit === 0) return `it was not refused: ${said.text.slice(0, 300)}`
  const error = (said.answer['error'] ?? said.answer) as {
    code?: string
    message?: string
    reasons?: readonly { text: string; rule: string }[]
    problems?: readonly unknown[]
  }
  const message = error.message ?? ''
  const reasons = (error.reasons ?? []).map((reason) => reason.text).filter((why) => !message.includes(why))
  const problems = [...(error.problems ?? findings(said.answer)), ...queryFaults(said.answer)].map(
    problemText,
  )
  return [message, ...problems, ...reasons, error.code === undefined ? '' : `[${error.code}]`].join(' ')
}

interface Problem {
  readonly line?: number
  readonly row?: number
  readonly column?: unknown
  readonly path?: string
  readonly expected?: string
  readonly seen?: string
}

// A file that does not fit is answered with a report; its findings are the reasons.
function findings(answer: Record<string, unknown>): readonly unknown[] {
  const report = answer['report'] as { findings?: readonly unknown[] } | undefined
  return report?.findings ?? [answer]
}

function queryFaults(answer: Record<string, unknown>): readonly string[] {
  const queries = (answer['queries'] ?? []) as readonly {
    computation: string
    code: string
    message: string
  }[]
  return queries.map(({ computation, code, message }) => `${computation}: ${message} [${code}]`)
}

function problemText(problem: unknown): string {
  if (typeof problem === 'string') return problem
  const { line, row, column, path, expected, seen } = problem as Problem
  const where = [
    line === undefined ? '' : `line ${line}`,
    row === undefined ? '' : `row ${row}`,
    path ?? (typeof column === 'string' ? `column ${column}` : ''),
  ]
  if (expected === undefined) return JSON.stringify(problem)
  return `${where.filter((part) => part !== '').join(', ')}: expected ${expected}, seen ${seen ?? ''};`
}
