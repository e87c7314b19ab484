/**
 * How a case of captured evidence is put to a verifier: one adapter a kind. An adapter reads the files that its case names
 * and asks the library; it decides nothing.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { EvidenceVerdict } from '#libs/attestation'

/** The inputs of a case by role, and where its files lie. */
export interface CaseInputs {
  readonly folder: string
  readonly fields: Readonly<Record<string, unknown>>
  /** The verification time, in milliseconds. */
  readonly at: number
}

/** Judges the evidence of one kind of case. */
export type EvidenceAdapter = (inputs: CaseInputs) => Promise<EvidenceVerdict>

/** A case that cannot be put to any verifier: its file is gone, or a role has no file name. */
export class CaseUnreadable extends Error {
  override readonly name = 'CaseUnreadable'
}

const maximumFileBytes = 8 * 1024 * 1024

/** The bytes of the file in a role that the case must have. */
export function fileOf(inputs: CaseInputs, role: string): Uint8Array {
  const bytes = optionalFileOf(inputs, role)
  if (bytes === undefined) throw new CaseUnreadable(`the case names no file as ${role}`)
  return bytes
}

/** The bytes of the file in a role; undefined where the case has none. */
export function optionalFileOf({ folder, fields }: CaseInputs, role: string): Uint8Array | undefined {
  const name = fields[role]
  if (name === undefined || name === null) return undefined
  if (typeof name !== 'string') throw new CaseUnreadable(`the ${role} of the case is no file name`)
  const path = join(folder, name)
  if (statSync(path).size > maximumFileBytes) throw new CaseUnreadable(`${name} is too large`)
  return readFileSync(path)
}

/** The text in a field; undefined where the case has none. */
export function optionalTextOf({ fields }: CaseInputs, field: string): string | undefined {
  const value = fields[field]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw new CaseUnreadable(`the ${field} of the case is no text`)
  return value
}
