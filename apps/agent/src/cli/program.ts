/** The `sealroom` command: its words, and which file does what. */
import { Command, CommanderError } from 'commander'
import { addAttestCommands } from './attest-commands.js'
import { addBackupCommands } from './backup.js'
import { addContractCommands } from './contract-commands.js'
import { addConsentCommands } from './consent-commands.js'
import { addDaemonCommand } from './daemon.js'
import { addDatasetCommands } from './dataset-commands.js'
import { addIdentityCommands } from './identity-commands.js'
import { addInitCommand } from './init.js'
import { addPinCommands } from './pins.js'
import { addRulesCommands } from './rules.js'
import { addRunCommands } from './run-commands.js'
import { addStatusCommand } from './status.js'
import { addAuditCommands } from './audit-commands.js'
import { frameOf, type Frame } from './command-frame.js'
import { exitCodes } from './exit-codes.js'
import type { World } from './world.js'

/** Runs one command line, without `node` and the program's name; returns the exit code. */
export async function runCommandLine(
  words: readonly string[],
  world: World,
  version: string,
): Promise<number> {
  const frame = frameOf(world)
  try {
    await programOf(frame, version).parseAsync([...words], { from: 'user' })
    return frame.exit
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // commander has printed its message already; help and version end well.
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
}

/** The command with all that it knows. */
export function programOf(frame: Frame, version: string): Command {
  const program = new Command('sealroom')
    .description('Compute together on data that none of you may show the others.')
    .version(version)
    .option('--home <folder>', `where this agent lives (default: ${frame.world.defaultHome})`)
    .option('--json', 'answer in JSON on standard output')
    .option('--quiet', 'only the answer, no notes and no progress')
    .option('--progress', 'show progress though standard error is no terminal')
    .option('--passphrase-file <file>', 'read the passphrase from a file of mode 0600 instead of asking')
    .option('--key-file <file>', 'the 32-byte key file, mode 0600, that opens the daemon keys')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', exitHelp)
  // Subcommands take these settings over when they are made.
  program.exitOverride().configureOutput({
    writeOut: frame.world.stdout,
    writeErr: frame.world.stderr,
    outputError: (text, write) => {
      write(text.replace(/^error: /, 'sealroom: '))
    },
  })
  addInitCommand(program, frame)
  addIdentityCommands(program, frame)
  addPinCommands(program, frame)
  addRulesCommands(program, frame)
  addContractCommands(program, frame)
  addDatasetCommands(program, frame)
  addRunCommands(program, frame)
  addConsentCommands(program, frame)
  addAuditCommands(program, frame)
  addAttestCommands(program, frame)
  addStatusCommand(program, frame)
  addDaemonCommand(program, frame)
  addBackupCommands(program, frame)
  return program
}

const exitHelp = `
Exit codes:
  ${exitCodes.ok}   done, and every check held
  ${exitCodes.refused}   refused, or a check failed; the reasons are printed
  ${exitCodes.usage}   the command line, the configuration or a named file is not as it must be
  ${exitCodes.waiting}   nothing is wrong, but somebody else has to act first
  ${exitCodes.unreachable}   the coordinator cannot be reached
  ${exitCodes.locked}   the keys do not open, or another process has the store
  ${exitCodes.undetermined}   nothing is wrong as far as was shown, but something could not be established; it is printed
  ${exitCodes.fault}  a fault in this program
  ${exitCodes.stopped} a signal ended it

Begin with:
  $ sealroom init --name registry --coordinator https://sealroom.example.org
  $ sealroom identity join --invitation <from the operator>
`
