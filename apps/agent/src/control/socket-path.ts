import { relative } from 'node:path'
import { AgentError } from '../errors.js'

/** Linux gives a socket's name 108 bytes, macOS 104, the closing zero included. */
const longestPath = 103

/**
 * The shorter spelling of a socket's path.
 * @throws AgentError `HOME_INVALID` where the operating system takes neither.
 */
export function socketPath(path: string): string {
  const fromHere = relative(process.cwd(), path)
  const shorter = fromHere.length < path.length ? fromHere : path
  if (Buffer.byteLength(shorter) <= longestPath) return shorter
  throw new AgentError(
    'HOME_INVALID',
    `${path} is too long for a socket (at most ${longestPath} bytes): choose a shorter --home`,
  )
}
