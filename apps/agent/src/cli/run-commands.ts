import type { Command } from 'commander'
import { addRunResultCommand } from './run-result.js'
import { explain, listRuns, showRun } from './run-show.js'
import { cancelRun, requestRun, type RequestOptions } from './run-request.js'
import type { Frame } from './command-frame.js'

export function addRunCommands(program: Command, frame: Frame): void {
  const run = program.command('run').description('ask for runs, see where they stand, take their results')
  run
    .command('request')
    .description(
      'Asks for one run of a computation that a contract names. Parameters are sealed to those who decide on it.',
    )
    .requiredOption('--contract <id>', 'the contract: its id, the beginning of it, or its name')
    .requiredOption('--computation <name>', 'the computation, as the contract names it')
    .option('--param <name=value>', 'a parameter; repeat for several', collect, [])
    .requiredOption('--purpose <text>', 'what it is for; owners and approvers read it')
    .option('--valid-hours <hours>', 'how long it may wait for approvals', wholeNumber, 24)
    .option('--wait', 'wait until the run has ended')
    .addHelpText(
      'after',
      `
Examples:
  $ sealroom run request --contract cardiac-readmission --computation readmissions_by_ward --purpose "quarterly report"
  $ sealroom run request --contract 4f2a91 --computation by_age --param from_age=40 --purpose "figure 2" --wait
`,
    )
    .action(frame.action<[RequestOptions]>(requestRun))
  run
    .command('list')
    .description('Lists the runs of a contract, or of all contracts of this agent.')
    .option('--contract <id>', 'only of this contract')
    .addHelpText('after', '\nExample:\n  $ sealroom run list --contract 4f2a91\n')
    .action(frame.action<[{ contract?: string }]>(listRuns))
  run
    .command('show <run>')
    .description('Shows where a run stands, what it waits for and for whom.')
    .option('--wait', 'wait until the run has ended, and say on the way what it waits for')
    .addHelpText('after', '\nExample:\n  $ sealroom run show 9be01c\n')
    .action(frame.action<[string, { wait?: boolean }]>(showRun))
  run
    .command('explain <run>')
    .description('Shows every check that every side made in a run, and why something was refused.')
    .addHelpText('after', '\nExample:\n  $ sealroom run explain 9be01c\n')
    .action(frame.action<[string, object]>(explain))
  run
    .command('cancel <run>')
    .description('Takes back a request of this agent, as long as nothing was spent on it.')
    .addHelpText('after', '\nExample:\n  $ sealroom run cancel 9be01c\n')
    .action(frame.action<[string, object]>(cancelRun))
  addRunResultCommand(run, frame)
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

/** A whole number from 1 to 8760, or NaN, which the command refuses. */
export function wholeNumber(text: string): number {
  return /^\d{1,4}$/.test(text) && Number(text) >= 1 ? Number(text) : Number.NaN
}
