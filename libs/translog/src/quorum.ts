/**
 * Who must have cosigned. Pure: it counts names of witnesses whose cosignatures were verified elsewhere.
 * Two names under one key count as an error, since a cosignature does not commit to the name: one would make two.
 */
import { TranslogError } from './errors.js'
import type { Witness } from './cosignature.js'

/** The witnesses that count, how many of them there must be, and who must be among them. */
export interface Quorum {
  readonly witnesses: readonly Witness[]
  readonly quorum: number
  /** Names that must all have cosigned: the data owners of a run's inputs. */
  readonly required: readonly string[]
}

/** Whether a quorum is met, and whom it lacks. */
export interface QuorumCount {
  readonly met: boolean
  readonly present: readonly string[]
  /** Witnesses without a cosignature. */
  readonly absent: readonly string[]
  /** Those of `required` without one. */
  readonly missing: readonly string[]
}

/**
 * Counts distinct known witnesses; a name that comes twice counts once, one that is not listed not at all.
 * @throws TranslogError `WITNESSES_INVALID` where the quorum itself makes no sense.
 */
export function countQuorum(quorum: Quorum, cosigned: Iterable<string>): QuorumCount {
  const names = expectWitnesses(quorum)
  const signed = new Set(cosigned)
  const present = names.filter((name) => signed.has(name))
  const missing = [...new Set(quorum.required)].filter((name) => !signed.has(name))
  return {
    met: present.length >= quorum.quorum && missing.length === 0,
    present,
    absent: names.filter((name) => !signed.has(name)),
    missing,
  }
}

function expectWitnesses({ witnesses, quorum, required }: Quorum): readonly string[] {
  const names = witnesses.map((witness) => witness.name)
  if (
    new Set(names).size !== names.length ||
    new Set(witnesses.map((witness) => witness.key.x)).size !== names.length
  )
    throw new TranslogError('WITNESSES_INVALID', 'two witnesses have the same name or the same key')
  // No bound means no: a quorum of none would accept what nobody saw.
  if (!Number.isSafeInteger(quorum) || quorum < 1 || quorum > names.length)
    throw new TranslogError('WITNESSES_INVALID', `a quorum of ${quorum} out of ${names.length} witnesses`)
  const stranger = required.find((name) => !names.includes(name))
  if (stranger !== undefined)
    throw new TranslogError('WITNESSES_INVALID', `${stranger} must cosign but is not among the witnesses`)
  return names
}
