/** The command line of the worker. It is the worker's only configuration; the environment is not read. */
import { parseArgs } from 'node:util'
import { EnclaveError } from './errors.js'

export interface Flags {
  readonly coordinator: string | null
  readonly enrolmentFile: string | null
  readonly simulatorKeyFile: string | null
  readonly collateralFolder: string | null
  readonly measurement: boolean
  readonly instance: boolean
  readonly json: boolean
  readonly help: boolean
}

/**
 * Reads the arguments.
 * @throws EnclaveError `USAGE`.
 */
export function parseFlags(args: readonly string[]): Flags {
  const values = parsed(args)
  return {
    coordinator: values.coordinator ?? null,
    enrolmentFile: values['enrolment-file'] ?? null,
    simulatorKeyFile: values['simulator-key-file'] ?? null,
    collateralFolder: values['collateral-folder'] ?? null,
    measurement: values.measurement ?? false,
    instance: values.instance ?? false,
    json: values.json ?? false,
    help: values.help ?? false,
  }
}

/**
 * A flag that a mode cannot do without.
 * @throws EnclaveError `USAGE` naming it.
 */
export function required(value: string | null, flag: string): string {
  if (value === null) throw new EnclaveError('USAGE', `${flag} is missing; see --help`)
  return value
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        coordinator: { type: 'string' },
        'enrolment-file': { type: 'string' },
        'simulator-key-file': { type: 'string' },
        'collateral-folder': { type: 'string' },
        measurement: { type: 'boolean' },
        instance: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (cause) {
    throw new EnclaveError('USAGE', cause instanceof Error ? cause.message : 'the arguments cannot be read', {
      cause,
    })
  }
}
