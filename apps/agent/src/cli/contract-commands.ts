import type { Command } from 'commander'
import type { Frame } from './command-frame.js'
import { checkContract } from './contract-check.js'
import { listContracts, reviewContractCommand, showContract } from './contract-show.js'
import { revokeCommand, type RevokeOptions } from './contract-revoke.js'
import { proposeContract, signContract } from './contract-sign.js'

export function addContractCommands(program: Command, frame: Frame): void {
  const contract = program
    .command('contract')
    .description('write, check, propose, review, sign and end contracts')
  contract
    .command('check <file>')
    .description(
      'Checks a contract in YAML: every mistake with line and field, whether each query is understood, in plain words what each\n' +
        'party gives and gets, and what is risky. The key of a party may be written as the label under which it is pinned.',
    )
    .option('--dry-run', 'run each computation on synthetic data of the schema')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sealroom contract check study.yaml\n  $ sealroom contract check study.yaml --dry-run\n',
    )
    .action(frame.action<[string, { dryRun?: boolean }]>(checkContract))
  contract
    .command('propose <file>')
    .description(
      'Signs a contract as its proposer and records it. What the file leaves out of `log` is filled in: origin, key, coordinator,\n' +
        'a fresh secret, and the newest checkpoint that this agent has followed the log to.',
    )
    .addHelpText('after', '\nExample:\n  $ sealroom contract propose study.yaml\n')
    .action(frame.action<[string, object]>(proposeContract))
  contract
    .command('list')
    .description('Lists the contracts that name this party.')
    .addHelpText('after', '\nExample:\n  $ sealroom contract list --json\n')
    .action(frame.action<[object]>(listContracts))
  contract
    .command('show <contract>')
    .description('Shows where a contract stands: who signed, who has not, what was recorded.')
    .addHelpText('after', '\nExample:\n  $ sealroom contract show 4f2a91\n')
    .action(frame.action<[string, object]>(showContract))
  contract
    .command('review <contract>')
    .description(
      'Shows a contract as it would be signed, rendered from its canonical form, with all checks made before signing.',
    )
    .addHelpText('after', '\nExample:\n  $ sealroom contract review 4f2a91\n')
    .action(frame.action<[string, object]>(reviewContractCommand))
  contract
    .command('sign <contract>')
    .description(
      'Signs a contract with the consent key. Refuses while a party is not pinned, or any other check does not hold.',
    )
    .addHelpText('after', '\nExample:\n  $ sealroom contract sign 4f2a91\n')
    .action(frame.action<[string, object]>(signContract))
  contract
    .command('revoke <contract>')
    .description(
      'Ends a contract, from now on and for everybody: for its revokers and its data owners. With --chip or --measurement the contract goes\n' +
        'on, and nothing under it is given any more to that chip, GPU or build, nor left to it: for its revokers.',
    )
    .option('--chip <id>', 'a chip id or the id of a GPU, as `run explain` and `attest inspect` show it')
    .option('--measurement <hex>', 'a build')
    .requiredOption('--reason <text>', 'why; partners read it')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sealroom contract revoke 4f2a91 --reason "the study has ended"\n' +
        '  $ sealroom contract revoke 4f2a91 --chip 8d1f0c… --reason "its key is out"\n',
    )
    .action(frame.action<[string, RevokeOptions]>(revokeCommand))
}
