/** What the `sealroom` command tells the shell. */
import { CodedError } from '#libs/canonical'
import { ClientError } from '#libs/client'
import { AgentError } from '../errors.js'

export const exitCodes = {
  /** done, and every check held */
  ok: 0,
  /** refused, or a check failed: the reasons were printed */
  refused: 1,
  /** the command line, the configuration or a named file is not as it must be */
  usage: 2,
  /** nothing is wrong, but somebody else has to act first */
  waiting: 3,
  /** the coordinator cannot be reached */
  unreachable: 4,
  /** the keys do not open, or another process has the store */
  locked: 5,
  /** a fault in this program */
  fault: 70,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The exit code of an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof AgentError) {
    switch (error.code) {
      case 'STORE_IN_USE':
      case 'KEY_STORE_LOCKED':
        return exitCodes.locked
      case 'USAGE':
      case 'CONFIG_INVALID':
      case 'HOME_INVALID':
      case 'FILE_UNREADABLE':
        return exitCodes.usage
      case 'WAITING':
        return exitCodes.waiting
      default:
        return exitCodes.refused
    }
  }
  if (error instanceof ClientError && error.code === 'COORDINATOR_UNREACHABLE') return exitCodes.unreachable
  if (error instanceof ClientError && error.code === 'URL_INSECURE') return exitCodes.usage
  return error instanceof CodedError ? exitCodes.refused : exitCodes.fault
}
