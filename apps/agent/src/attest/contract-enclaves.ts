/** The `enclaves` section of a contract's YAML, whole or alone. */
import { readYaml, maximumYamlBytes } from '#libs/contract/yaml'
import { CodedError, fromUtf8 } from '#libs/canonical'
import { readBounded } from '../durable-file.js'
import { AgentError } from '../errors.js'

/**
 * Reads the entries; whether each is as it must be, its reader says.
 * @throws AgentError `FILE_UNREADABLE`, `USAGE` where there is no such section; ContractError.
 */
export async function readEnclaves(path: string): Promise<readonly unknown[]> {
  const { value, mistakes } = readYaml(textOf(await readBounded(path, maximumYamlBytes), path))
  if (mistakes.length > 0)
    throw new AgentError('USAGE', `${path} uses YAML that contracts may not; see \`sealroom contract check\``)
  const section =
    typeof value === 'object' && value !== null && 'enclaves' in value ? value.enclaves : undefined
  if (!Array.isArray(section) || section.length === 0)
    throw new AgentError('USAGE', `${path} has no list \`enclaves\`; expected at least one entry in it`)
  return section as readonly unknown[]
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return fromUtf8(bytes)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new AgentError('FILE_UNREADABLE', `${path} is not UTF-8 text`, { cause })
  }
}
