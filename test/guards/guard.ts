/** A guard of the protocol, and how it is switched off: one edit or a few in the source that a test run reads. */

/** A place in a source file. `was` stands in it exactly once. */
export interface Edit {
  /** From the project's folder. */
  readonly file: string
  readonly was: string
  readonly becomes: string
}

/** A test by its file and the whole of its title, and what its failure says. */
export interface Finder {
  readonly spec: string
  readonly title: string
  readonly says: RegExp
}

export interface Guard {
  /** What is done, in a few words; unique. */
  readonly does: string
  readonly off: readonly Edit[]
  readonly foundBy: Finder
}

/** A guard that another one stands behind: the test that finds both switched off stays green where only this one is. */
export interface CoveredGuard {
  readonly does: string
  readonly off: readonly Edit[]
  /** What stands behind it. */
  readonly because: string
  /** Names the guard of the table that switches both off. */
  readonly together: string
}

/**
 * A source with a guard switched off.
 * @throws RangeError where the source has moved on and the edit no longer fits.
 */
export function switchOff(source: string, { file, was, becomes }: Edit): string {
  const times = source.split(was).length - 1
  if (times !== 1)
    throw new RangeError(`${file}: expected once, seen ${times} times: ${JSON.stringify(was.slice(0, 80))}`)
  return source.replace(was, () => becomes)
}
