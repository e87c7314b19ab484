/**
 * Pieces of evidence as one: all parts are genuine and good, and bound to each other. One verdict over an encrypted,
 * verifiable connection between a CPU and its GPUs.
 */
import { toHex, type JsonValue } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import type { EvidenceVerdict } from '../verdict.js'
import { demandBinding, type CompositeBinding } from './binding.js'
import type { CompositePart } from './parts.js'

/** What holds parts together. */
export interface CompositeRequest {
  /** What all parts were made for. */
  readonly nonce: Uint8Array
  /** At least one; each must hold. Without one nothing says that parts belong to each other, or to whoever asks. */
  readonly bindings: readonly CompositeBinding[]
}

/** Judges a composite under the strict policy for production. A binding has no part in whether it is authentic. */
export function judgeComposite(parts: readonly CompositePart[], request: CompositeRequest): EvidenceVerdict {
  const facts = factsOf(parts, request)
  const refused = (refusal: EvidenceVerdict['refusal'], reason: string | null): EvidenceVerdict => ({
    authentic: parts.length > 0 && parts.every(({ verdict }) => verdict.authentic),
    production: false,
    refusal,
    reason,
    facts,
  })
  const weakest =
    parts.find(({ verdict }) => !verdict.authentic) ?? parts.find(({ verdict }) => !verdict.production)
  if (weakest?.verdict.authentic === false) return refused(...reasonOf(weakest))
  try {
    demandBindings(parts, request)
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return refused(error.code, error.message)
  }
  if (weakest !== undefined) return refused(...reasonOf(weakest))
  return { authentic: true, production: true, refusal: null, reason: null, facts }
}

function demandBindings(parts: readonly CompositePart[], { nonce, bindings }: CompositeRequest): void {
  const roles = new Set(parts.map(({ role }) => role))
  if (parts.length === 0 || roles.size < parts.length || bindings.length === 0)
    throw new AttestationError(
      'BINDING_MISMATCH',
      `composite: ${parts.length} parts in ${roles.size} roles with ${bindings.length} bindings hold nothing together`,
      { stage: 'bind', field: 'binding' },
    )
  for (const binding of bindings) demandBinding(parts, binding, nonce)
}

function reasonOf({ role, verdict }: CompositePart): [EvidenceVerdict['refusal'], string] {
  return [verdict.refusal, `${role}: ${verdict.reason ?? 'refused'}`]
}

// What a composite tells of a part; the rest is the part's own verdict's to tell.
const told = ['tcb_status', 'report_data', 'measurement', 'gpus', 'overall'] as const

function factsOf(parts: readonly CompositePart[], { nonce }: CompositeRequest): EvidenceVerdict['facts'] {
  const ofPart = ({ verdict }: CompositePart): Record<string, JsonValue> =>
    Object.fromEntries(
      told.flatMap((name) => {
        const fact = verdict.facts[name]
        return fact === undefined ? [] : [[name, fact]]
      }),
    )
  return { nonce: toHex(nonce), ...Object.fromEntries(parts.map((part) => [part.role, ofPart(part)])) }
}
