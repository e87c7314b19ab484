/** TEEs of real hardware. No evidence source is built in yet, so a production worker says what it looked for and ends. */
import { existsSync } from 'node:fs'
import { EnclaveError } from './errors.js'
import type { Tee } from './tee.js'

/** Where Linux offers a guest the evidence of its machine. */
export const teeDevices = [
  { device: '/dev/sev-guest', name: 'AMD SEV-SNP' },
  { device: '/dev/tdx_guest', name: 'Intel TDX' },
] as const

export const hardwareTee: Tee = {
  title: 'Sealroom enclave worker',
  help: '',
  open: ({ simulatorKeyFile }) => {
    if (simulatorKeyFile !== null)
      return Promise.reject(
        new EnclaveError('USAGE', 'this worker has no simulator; --simulator-key-file means nothing to it'),
      )
    return Promise.reject(
      new EnclaveError('TEE_MISSING', missing(teeDevices.filter(({ device }) => existsSync(device)))),
    )
  },
}

function missing(found: readonly { readonly device: string; readonly name: string }[]): string {
  const looked = teeDevices.map(({ device, name }) => `${device} (${name})`).join(', ')
  if (found.length === 0)
    return `no TEE is here: looked for ${looked}, found none. Start it in a confidential VM, or try things out with main-simulated.js`
  const there = found.map(({ device, name }) => `${device} (${name})`).join(', ')
  return `found ${there}, but this build cannot get evidence from it yet; nothing would be released to it, so it ends`
}
