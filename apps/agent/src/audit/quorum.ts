/** Who cosigned what, of the tree that the leaves make. A cosignature on another tree counts for nothing here. */
import type { Thumbprint } from '#libs/canonical'
import { broken, open, type Finding } from './finding.js'
import type { History, Place, SeenCheckpoint } from './history.js'

/** Everyone who cosigned the checkpoint of a size. */
export function cosignersOver(history: History, size: number): readonly Thumbprint[] {
  const sorted = checkpointsOf(history)
  const found = new Set<Thumbprint>()
  for (let at = firstAbove(sorted, size - 1); sorted[at]?.size === size; at++)
    for (const party of sorted[at]?.cosigners.keys() ?? []) found.add(party)
  return [...found]
}

/** A checkpoint that holds entry `from`, is not larger than `to`, and that all of these cosigned; undefined where there is none. */
export function cosignedBetween(
  history: History,
  from: number,
  to: number,
  parties: readonly Thumbprint[],
): SeenCheckpoint | undefined {
  const sorted = checkpointsOf(history)
  for (let at = firstAbove(sorted, from); at < sorted.length; at++) {
    const checkpoint = sorted[at]
    if (checkpoint === undefined || checkpoint.size > to) return undefined
    if (parties.every((party) => checkpoint.cosigners.has(party))) return checkpoint
  }
  return undefined
}

/** A party none of whose Identities was shown: whether it cosigned cannot be told. */
export function unknownAmong(
  { identities }: History,
  parties: readonly Thumbprint[],
): Thumbprint | undefined {
  return parties.find((party) => (identities.get(party) ?? []).length === 0)
}

/** That cosignatures are missing; where a cosigner's keys were not shown, that this was not established. */
export function notCosigned(
  history: History,
  parties: readonly Thumbprint[],
  entry: Place,
  expected: string,
  seen: string,
): Finding {
  const unknown = unknownAmong(history, parties)
  return unknown === undefined
    ? broken(entry, expected, seen)
    : open(entry, expected, `no Identity of ${history.labelOf(unknown)} was shown`)
}

const onTree = new WeakMap<History, readonly SeenCheckpoint[]>()

function checkpointsOf(history: History): readonly SeenCheckpoint[] {
  const known = onTree.get(history)
  if (known !== undefined) return known
  const sorted = history.checkpoints.filter((checkpoint) => checkpoint.onTree === true)
  onTree.set(history, sorted)
  return sorted
}

function firstAbove(sorted: readonly SeenCheckpoint[], size: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle]?.size ?? 0) <= size) low = middle + 1
    else high = middle
  }
  return low
}
