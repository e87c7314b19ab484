/** What the `sealroom` command tells the shell. */
import { CodedError } from '#libs/canonical'
import { ClientError } from '#libs/client'
import { AgentError, type AgentErrorCode } from '../errors.js'

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
  /** nothing is wrong as far as was shown, but something could not be established: it was printed */
  undetermined: 6,
  /** a fault in this program */
  fault: 70,
  /** a signal ended it */
  stopped: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The exit code of an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof AgentError) return agentExits[error.code]
  if (error instanceof ClientError && error.code === 'COORDINATOR_UNREACHABLE') return exitCodes.unreachable
  if (error instanceof ClientError && error.code === 'URL_INSECURE') return exitCodes.usage
  return error instanceof CodedError ? exitCodes.refused : exitCodes.fault
}

const agentExits: Readonly<Record<AgentErrorCode, ExitCode>> = {
  STORE_IN_USE: exitCodes.locked,
  KEY_STORE_LOCKED: exitCodes.locked,
  STORE_DAMAGED: exitCodes.refused,
  KEY_STORE_MALFORMED: exitCodes.refused,
  USAGE: exitCodes.usage,
  CONFIG_INVALID: exitCodes.usage,
  HOME_INVALID: exitCodes.usage,
  FILE_UNREADABLE: exitCodes.usage,
  WAITING: exitCodes.waiting,
  NOT_PINNED: exitCodes.refused,
  LOG_MISBEHAVED: exitCodes.refused,
  CONTRACT_NOT_VERIFIED: exitCodes.refused,
  CONTRACT_UNKNOWN: exitCodes.refused,
  DATASET_MISMATCH: exitCodes.refused,
  RUN_NOT_VERIFIED: exitCodes.refused,
  RUN_UNKNOWN: exitCodes.refused,
  RESULT_NOT_VERIFIED: exitCodes.refused,
  REFUSED: exitCodes.refused,
  COLLATERAL_UNREACHABLE: exitCodes.unreachable,
  COLLATERAL_OLDER: exitCodes.refused,
}
