import type { Command } from 'commander'
import type { Frame } from './command-frame.js'
import { checkModelFile } from './model-check.js'

export function addModelCommands(program: Command, frame: Frame): void {
  const model = program
    .command('model')
    .description('models in files: check them as an enclave would, before a contract names them')
  model
    .command('check <file>')
    .description(
      'Reads an ONNX file as an enclave would and says whether it passes the checks: what it takes and gives, or why it is refused,\n' +
        'where in the model, and how to mend it. Nothing is sent anywhere.',
    )
    .addHelpText('after', '\nExample:\n  $ sealroom model check risk.onnx\n')
    .action(frame.action<[string, object]>(checkModelFile))
}
