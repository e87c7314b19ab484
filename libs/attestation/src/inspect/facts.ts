/** Facts of evidence, as proposals read them. */
import type { JsonValue } from '#libs/canonical'
import { isForeignObject } from '../json/foreign-json.js'

/** Facts or claims, by name. */
export type Facts = Readonly<Record<string, JsonValue>>

/** The age that is proposed for evidence. */
export const proposedAgeSeconds = 300

/** The fields that are not zero, each as a list of one. */
export function nonZero(facts: Facts, names: readonly string[]): Readonly<Record<string, JsonValue>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = facts[name]
      return typeof value === 'string' && /[^0]/.test(value) ? [[name, [value]] as const] : []
    }),
  )
}

/** A member that is an object; an empty one where there is none. */
export function recordIn(facts: Facts, name: string): Readonly<Record<string, unknown>> {
  const value = facts[name]
  return isForeignObject(value) ? value : {}
}
