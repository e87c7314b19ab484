import { Option, type Command } from 'commander'
import type { Frame } from './command-frame.js'
import { checkDataset, type CheckOptions } from './dataset-check.js'
import { listDatasets, withdrawDataset, type WithdrawOptions } from './dataset-list.js'
import { sealDataset, type SealCommandOptions } from './dataset-seal.js'

export function addDatasetCommands(program: Command, frame: Frame): void {
  const dataset = program.command('dataset').description("this owner's data: check, seal, list, withdraw")
  fileCommand(dataset, 'check <file>')
    .description(
      "Reads a CSV or Parquet file against the contract's schema and shows what does not fit: column, row, seen, expected. Values\n" +
        'of rows are shown here, on this machine, and go nowhere. A model (ONNX) is checked as an enclave would, and held against\n' +
        'the inputs and the output that the contract gives it.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ sealroom dataset check patients.csv --contract 4f2a91 --dataset stays\n',
    )
    .action(frame.action<[string, CheckOptions]>(checkDataset))
  fileCommand(dataset, 'seal <file>')
    .description(
      'Checks the file, writes it as Parquet by column group, seals each group under a key of its own, uploads the ciphertext and\n' +
        'records a Manifest. Repeat the command where the upload was interrupted: it goes on from there. A model is sealed whole,\n' +
        'without what its file says of how it was made.',
    )
    .option('--replace', 'a new version instead of the one that is there, or that is on its way')
    .addHelpText(
      'after',
      `
Examples:
  $ sealroom dataset seal patients.csv --contract 4f2a91 --dataset stays
  $ sealroom dataset seal patients-2026-12.parquet --contract 4f2a91 --dataset stays --replace
  $ sealroom dataset seal risk.onnx --contract 4f2a91 --dataset risk
`,
    )
    .action(frame.action<[string, SealCommandOptions]>(sealDataset))
  dataset
    .command('list')
    .description('Lists what this owner has sealed.')
    .addHelpText('after', '\nExample:\n  $ sealroom dataset list\n')
    .action(frame.action<[object]>(listDatasets))
  dataset
    .command('withdraw')
    .description('Takes data out of a contract, at once and alone: from now on no key of it is released.')
    .requiredOption('--contract <id>', 'the contract')
    .requiredOption('--dataset <name>', 'the dataset: every version of it, for good')
    .option('--newest', 'only the newest version; another may be sealed in its place')
    .option('--reason <text>', 'why; partners read it', 'withdrawn by its owner')
    .addHelpText(
      'after',
      '\nExample:\n  $ sealroom dataset withdraw --contract 4f2a91 --dataset stays --reason "consent withdrawn"\n',
    )
    .action(frame.action<[WithdrawOptions]>(withdrawDataset))
}

function fileCommand(dataset: Command, words: string): Command {
  return dataset
    .command(words)
    .requiredOption('--contract <id>', 'the contract: its id, the beginning of it, or its name')
    .requiredOption('--dataset <name>', 'the dataset, as the contract names it')
    .addOption(
      new Option('--delimiter <name>', 'what stands between the fields of a CSV file')
        .choices(['comma', 'semicolon', 'tab', 'pipe'])
        .default('comma'),
    )
}
