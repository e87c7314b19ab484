import type { Command } from 'commander'
import { addFetchCollateralCommand } from './attest-fetch-collateral.js'
import type { Frame } from './command-frame.js'

export function addAttestCommands(program: Command, frame: Frame): void {
  const attest = program.command('attest').description('evidence of hardware: what it needs to be judged')
  addFetchCollateralCommand(attest, frame)
}
