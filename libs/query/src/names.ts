/** Names are compared without case, quoted or not, as the engine compares them: letters A to Z only. */
import { QueryError } from './errors.js'

const maximumNameLength = 128
// Tables, columns, aliases: one script, so that no two look alike.
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/u

const contractIdentifier = /^[\p{L}_][\p{L}\p{M}\p{Nd}_-]*$/u

/**
 * A name that a contract declares: any script, as contracts allow; written in quotes in a query where it has a hyphen.
 * @throws QueryError `NAME_NOT_ALLOWED`.
 */
export function expectDeclaredName(name: string, what: string): string {
  if (
    !contractIdentifier.test(name) ||
    name !== name.normalize('NFC') ||
    name.length > maximumNameLength ||
    name.startsWith('__')
  )
    throw new QueryError(
      'NAME_NOT_ALLOWED',
      `${what} name ${showName(name)} of the contract cannot stand in a query`,
    )
  return name
}

/** The form in which names are compared. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** A name for a message: no control or format characters, bounded length. */
export function showName(name: string): string {
  const cut = name.length > 60 ? `${name.slice(0, 60)}…` : name
  return JSON.stringify(cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '�'))
}

/**
 * A name of a table, a column, a CTE or an alias: ASCII, and none of the engine's or the generator's own.
 * @throws QueryError `NAME_NOT_ALLOWED`.
 */
export function expectName(name: string, what: string, location?: number): string {
  if (!identifier.test(name) || name.length > maximumNameLength || name.startsWith('__'))
    throw new QueryError(
      'NAME_NOT_ALLOWED',
      `${what} name ${showName(name)} is not allowed: use letters, digits and underscores of ASCII, not starting with two underscores`,
      location,
    )
  return name
}

/**
 * A label of an output column: any script, in NFC, no control or format characters.
 * @throws QueryError `NAME_NOT_ALLOWED`.
 */
export function expectLabel(label: string, location?: number): string {
  const wellFormed = label.isWellFormed() && label === label.normalize('NFC') && !unprintable.test(label)
  if (
    !wellFormed ||
    label.trim() !== label ||
    label === '' ||
    label.length > maximumNameLength ||
    label.startsWith('__')
  )
    throw new QueryError(
      'NAME_NOT_ALLOWED',
      `label ${showName(label)} is not allowed: 1 to ${maximumNameLength} printable characters, no control or format characters, not starting with two underscores`,
      location,
    )
  return label
}
