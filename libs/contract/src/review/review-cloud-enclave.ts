/** What a careful reader would stop at in an entry for machines of clouds and tokens of their services. */
import type { ContractTerms } from '../terms/terms.js'
import type { Finding } from './review-contract.js'

/** Warnings about one entry of `enclaves`; none for other kinds. */
export function reviewCloudEnclave(entry: ContractTerms['enclaves'][number], path: string): Finding[] {
  const found: Finding[] = []
  const warn = (severity: Finding['severity'], code: Finding['code'], text: string) =>
    found.push({ severity, code, path, text })
  if ('guestCode' in entry && entry.guestCode !== undefined)
    warn(
      'danger',
      'UNMEASURED_GUEST',
      'Nothing measures the code of the guest: whoever can start such a machine gets the data.',
    )
  if ('keys' in entry)
    warn(
      'note',
      'SERVICE_TRUSTED',
      'A service of the cloud vouches for the hardware: whoever holds its keys can vouch for any machine.',
    )
  if ('console' in entry && entry.console !== undefined)
    warn('caution', 'HOST_CONSOLE', 'The serial console of the host may reach the guest.')
  if ('hardware' in entry && entry.hardware.some((model) => isMemoryChangeable(model)))
    warn(
      'caution',
      'MEMORY_CHANGEABLE',
      'Plain SEV and SEV-ES are accepted: the host can change memory that it cannot read.',
    )
  return found
}

function isMemoryChangeable(model: string): boolean {
  return model === 'GCP_AMD_SEV' || model === 'GCP_AMD_SEV_ES'
}
