/** Of a field: what is expected there, and how a person mends it. */
export type Guidance = readonly [expected: string, mend: string]

/** How a day is written. */
export const day = 'Write it like 2026-11-01.'
/** How names are listed. */
export const listOfNames = 'Write a list of names, like [north, south].'
/** What is expected where a decimal stands. */
export const decimal = 'a decimal number'
