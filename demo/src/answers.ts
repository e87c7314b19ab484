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
  const reasons = (error.reasons ?? []).map((reason) => reason.text)
  const problems = (error.problems ?? []).map((problem) =>
    typeof problem === 'string' ? problem : JSON.stringify(problem),
  )
  return [
    error.message ?? said.text,
    ...problems,
    ...reasons,
    error.code === undefined ? '' : `[${error.code}]`,
  ].join(' ')
}
