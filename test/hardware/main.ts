#!/usr/bin/env node
/**
 * `npm run test:hardware -- --collateral-folder D [--gpus N]`: what only a machine with a TEE can show. Evidence of this machine's own TEE, under
 * the vendors' roots and with the collateral of a folder. Ends with 0 where all holds, 1 where something does not, 2 where nothing can be tried.
 */
import { parseArgs } from 'node:util'
import { CodedError } from '#libs/canonical'
import { hardwareTee } from '../../apps/enclave/src/hardware-tee.js'
import { parseFlags } from '../../apps/enclave/src/flags.js'
import { tryHardware, type Trial } from './try-hardware.js'

const { values } = parseArgs({
  options: { 'collateral-folder': { type: 'string' }, gpus: { type: 'string' } },
})
const folder = values['collateral-folder']

try {
  const flags = parseFlags(folder === undefined ? [] : ['--collateral-folder', folder])
  const source = await hardwareTee.open(flags)
  process.stdout.write(`${source.kind}, measurement ${source.measurement}\n`)
  const trials = await tryHardware(source, { gpus: Number(values.gpus ?? 0), now: Date.now() })
  for (const trial of trials) process.stdout.write(`${lineOf(trial)}\n`)
  process.exitCode = trials.every(({ failure }) => failure === null) ? 0 : 1
} catch (error) {
  if (!(error instanceof CodedError)) throw error
  process.stderr.write(`nothing was tried: ${String(error.code)}: ${error.message}\n`)
  process.exitCode = 2
}

function lineOf({ what, failure }: Trial): string {
  return failure === null ? `ok      ${what}` : `FAILED  ${what}: ${failure}`
}
