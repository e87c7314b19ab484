/** Parameters as people write them on a command line, in the types that the contract gives them. */
import {
  canonicalDecimalOf,
  parameterFaults,
  type ComputationTerms,
  type ParameterTerms,
} from '#libs/contract'
import { AgentError } from '../errors.js'

export type ParameterValues = Readonly<Record<string, string | number | boolean | null>>

/**
 * Reads `name=value` pairs.
 * @throws AgentError `USAGE` where a parameter is missing, unknown, given twice, of another type or out of its bounds: the enclave
 * decides that again, when the run has been charged.
 */
export function readParameters(pairs: readonly string[], computation: ComputationTerms): ParameterValues {
  const declared = computation.parameters
  const values = new Map<string, string | number | boolean>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, Math.max(0, at))
    if (at < 1) throw new AgentError('USAGE', `--param: expected name=value; seen ${JSON.stringify(pair)}`)
    const terms = Object.hasOwn(declared, name) ? declared[name] : undefined
    if (terms === undefined)
      throw new AgentError('USAGE', `--param ${name}: this computation has ${listOf(Object.keys(declared))}`)
    if (values.has(name)) throw new AgentError('USAGE', `--param ${name} is given twice`)
    values.set(name, valueOf(name, pair.slice(at + 1), terms))
  }
  const missing = Object.keys(declared).filter((name) => !values.has(name))
  if (missing.length > 0)
    throw new AgentError(
      'USAGE',
      `parameters are missing: give ${missing.map((name) => `--param ${name}=<${declared[name]?.type ?? ''}>`).join(' ')}`,
    )
  const given = Object.fromEntries(values)
  const [fault] = parameterFaults(declared, given)
  if (fault !== undefined)
    throw new AgentError(
      'USAGE',
      `--param ${fault.parameter}: expected ${fault.expected}; seen ${fault.seen}`,
    )
  return given
}

function valueOf(name: string, text: string, terms: ParameterTerms): string | number | boolean {
  switch (terms.type) {
    case 'int': {
      const value = Number(text)
      if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) throw expected(name, 'a whole number', text)
      return value
    }
    case 'double': {
      const decimal = canonicalDecimalOf(text)
      if (decimal === null) throw expected(name, 'a decimal number, like 12.5', text)
      return decimal
    }
    case 'bool':
      if (text !== 'true' && text !== 'false') throw expected(name, 'true or false', text)
      return text === 'true'
    case 'date':
      if (!/^\d{4}-\d\d-\d\d$/.test(text)) throw expected(name, 'a day, like 2026-11-01', text)
      return text
    case 'timestamp':
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text))
        throw expected(name, 'a time, like 2026-11-01T09:30:00.000Z', text)
      return text
    case 'string':
      return text.normalize('NFC')
  }
}

function expected(name: string, what: string, seen: string): AgentError {
  return new AgentError(
    'USAGE',
    `--param ${name}: expected ${what}; seen ${JSON.stringify(seen.slice(0, 40))}`,
  )
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'no parameters' : `the parameters ${names.join(', ')}`
}
