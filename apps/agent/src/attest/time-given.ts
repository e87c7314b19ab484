import { AgentError } from '../errors.js'

/**
 * The time of a verdict, in milliseconds. Evidence is judged at a time that somebody names, never at that of the clock.
 * @throws AgentError `USAGE`.
 */
export function timeGiven(text: string): number {
  const isWritten = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/.test(text)
  const time = isWritten ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new AgentError('USAGE', `--at is ${text}; expected a time in UTC like 2026-07-01T00:00:00Z`)
}
