/** `sealroom attest …`: looking at evidence of hardware, and at what a contract makes of it. No command here releases anything. */
import type { Command } from 'commander'
import { addFetchCollateralCommand } from './attest-fetch-collateral.js'
import { attestInspect } from './attest-inspect.js'
import { attestPolicy } from './attest-policy.js'
import { attestReference } from './attest-reference.js'
import { attestVerify, type AttestVerifyOptions } from './attest-verify.js'
import type { Frame } from './command-frame.js'

const kindHelp = 'what the file holds; left out: told from its bytes'
const collateralHelp =
  'a folder with the vendor’s certificates and lists: vek, chain, crl; collateral.json; or as fetched'

export function addAttestCommands(program: Command, frame: Frame): void {
  const attest = program.command('attest').description('look at evidence of hardware')
  attest
    .command('inspect <file>')
    .description('Says in words what evidence claims: hardware, firmware, code, flags. Verifies nothing.')
    .option('--kind <kind>', kindHelp)
    .addHelpText('after', '\nExample:\n  $ sealroom attest inspect report.bin\n')
    .action(
      frame.action<[string, { kind?: string }]>((_session, file, options) => attestInspect(file, options)),
    )
  attest
    .command('verify <file>')
    .description(
      'Says whether a contract would accept evidence at a time: which check failed, expected and seen.',
    )
    .requiredOption('--contract <file>', 'the contract in YAML, or its `enclaves` section alone')
    .requiredOption('--at <time>', 'the time of the verdict, in UTC')
    .option('--collateral <folder>', collateralHelp)
    .option('--report-data <hex>', 'the 64 bytes that the evidence must carry; left out: not compared')
    .option('--kind <kind>', kindHelp)
    .addHelpText(
      'after',
      '\nExample:\n  $ sealroom attest verify report.bin --contract contract.yaml --at 2026-07-01T00:00:00Z --collateral amd\n',
    )
    .action(
      frame.action<[string, AttestVerifyOptions]>((_session, file, options) => attestVerify(file, options)),
    )
  attest
    .command('reference <file>')
    .description(
      'Writes the section of a contract that would accept evidence: warnings say what it gives up.',
    )
    .option('--collateral <folder>', `${collateralHelp}; the evidence is verified with it`)
    .option('--at <time>', 'with --collateral: the time of the verdict, in UTC')
    .option('--kind <kind>', kindHelp)
    .addHelpText('after', '\nExample:\n  $ sealroom attest reference report.bin\n')
    .action(
      frame.action<[string, { collateral?: string; at?: string; kind?: string }]>((_session, file, options) =>
        attestReference(file, options),
      ),
    )
  attest
    .command('policy <file>')
    .description(
      'Computes the digest of a policy for confidential containers: Azure’s ccePolicy or CoCo’s init-data, for hostData\nand mrConfigId of a contract.',
    )
    .addHelpText('after', '\nExample:\n  $ sealroom attest policy policy.rego\n')
    .action(frame.action<[string]>((_session, file) => attestPolicy(file)))
  addFetchCollateralCommand(attest, frame)
}
