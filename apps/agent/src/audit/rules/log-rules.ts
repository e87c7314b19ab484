/** One tree, whole, that everybody saw (design: section 9). */
import { CodedError, toHex } from '#libs/canonical'
import { parseCheckpoint, parseNote } from '#libs/translog'
import { broken, open, type Finding } from '../finding.js'
import type { History, Place, SeenCheckpoint } from '../history.js'
import type { AuditRule } from './rule.js'

export const logRules: readonly AuditRule[] = [
  {
    name: 'log.whole',
    says: 'a signed checkpoint covers every leaf, and every leaf of it is shown',
    findings: ({ history }) => wholeLog(history),
  },
  {
    name: 'log.oneTree',
    says: 'every checkpoint is a root of the one tree that the leaves make',
    findings: ({ history }) => oneTree(history),
  },
  {
    name: 'witness.oneView',
    says: 'no witness cosigned two trees',
    findings: ({ history }) => oneView(history),
  },
  {
    name: 'contract.checkpoint',
    says: 'the checkpoint that a contract names is of this tree, and from before it',
    findings: ({ history }) => namedCheckpoint(history),
  },
  {
    name: 'record.shown',
    says: 'every entry of this contract is shown with its body',
    findings: ({ history }) => bodiesShown(history),
  },
]

function* wholeLog({ checkpoints, size }: History): Iterable<Finding> {
  const beyond = checkpoints.filter((checkpoint) => checkpoint.size > size)
  for (const checkpoint of beyond)
    yield checkpoint.own
      ? open(
          placeOf(checkpoint),
          `that the log went on from here to a tree of ${checkpoint.size} leaves`,
          `only ${size} were shown`,
        )
      : broken(placeOf(checkpoint), `${checkpoint.size} leaves, as the log signed`, `${size}`)
  const covered = Math.max(
    0,
    ...checkpoints.filter(({ onTree }) => onTree === true).map((checkpoint) => checkpoint.size),
  )
  if (covered < size && beyond.length === 0)
    yield broken(
      { index: covered, type: 'leaf', id: '' },
      `a checkpoint over all ${size} leaves`,
      `one over ${covered}`,
    )
}

function* oneTree({ checkpoints, rootAt }: History): Iterable<Finding> {
  const roots = new Map<number, string>()
  for (const checkpoint of checkpoints) {
    const { size, root, onTree } = checkpoint
    const other = roots.get(size)
    if (other !== undefined && other !== root)
      yield broken(
        placeOf(checkpoint),
        `one tree of ${size} leaves`,
        `the log signed ${other} and ${root}: proof that it misbehaved`,
      )
    else if (onTree === false)
      yield broken(placeOf(checkpoint), `root ${rootAt(size) ?? ''} of the first ${size} leaves`, root)
    roots.set(size, root)
  }
}

// Who was shown a fork is its victim; who cosigned this tree up to there, and then another of no more leaves, broke its word.
function* oneView({ checkpoints, labelOf }: History): Iterable<Finding> {
  for (const other of checkpoints) {
    if (other.onTree !== false) continue
    for (const [party] of other.cosigners) {
      const own = checkpoints.find(
        ({ onTree, size, cosigners }) => onTree === true && size >= other.size && cosigners.has(party),
      )
      if (own !== undefined)
        yield broken(
          placeOf(other),
          `one view of the log by ${labelOf(party)}`,
          `it cosigned ${own.root} of ${own.size} leaves, and ${other.root} of ${other.size}, which does not lead there`,
        )
    }
  }
}

function* namedCheckpoint({ contracts, rootAt }: History): Iterable<Finding> {
  for (const { id, terms, signatures } of contracts) {
    const index = signatures[0]?.index ?? null
    const place = { index, type: 'contract', id } as const
    try {
      const { size, root } = parseCheckpoint(bodyOf(terms.log.checkpoint))
      const expected = rootAt(size)
      if (expected !== toHex(root))
        yield broken(place, `root ${expected ?? 'unknown'} of ${size} leaves`, toHex(root))
      if (index !== null && size > index)
        yield broken(place, `a checkpoint of at most ${index} leaves`, `${size}`)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      yield broken(place, 'a checkpoint in the contract', error.message)
    }
  }
}

// A contract may hold the note with the log's signature, or its text alone.
function bodyOf(checkpoint: string): string {
  return checkpoint.includes('\n\n') ? parseNote(checkpoint).body : checkpoint
}

function* bodiesShown({ contracts, runs }: History): Iterable<Finding> {
  const ofContract = contracts[0]?.hidden ?? []
  for (const { type, index, digest } of [...ofContract, ...runs.flatMap(({ hidden }) => hidden)])
    yield open({ index, type, id: digest }, `what this ${type} says`, 'its body was not shown to this party')
}

function placeOf({ root }: SeenCheckpoint): Place {
  return { index: null, type: 'checkpoint', id: root }
}
