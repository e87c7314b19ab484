/**
 * A verdict on evidence alone, without an Offer or a contract: is it genuine, and would a strict policy for production take it.
 * For inspection and for the captured evidence of others. Nothing is released on it.
 */
import type { JsonValue } from '#libs/canonical'
import { AttestationError, type AttestationErrorCode } from './errors.js'

/** What is to be said of evidence. */
export interface EvidenceVerdict {
  /** Form, signatures, chain, times and collateral are right. What the caller asked for (nonce, audience) is no part of it. */
  readonly authentic: boolean
  /** The strict policy accepts it as well. */
  readonly production: boolean
  /** Null where `production` is true. */
  readonly refusal: AttestationErrorCode | null
  /** The refusal for people. */
  readonly reason: string | null
  /** What was read from evidence that is authentic; empty otherwise. */
  readonly facts: Readonly<Record<string, JsonValue>>
}

/** The steps to a verdict, each of which throws where it refuses. */
export interface VerdictSteps<Authentic> {
  authenticate(): Authentic | Promise<Authentic>
  factsOf(authentic: Authentic): Readonly<Record<string, JsonValue>>
  demandProduction(authentic: Authentic): void | Promise<void>
}

/** Takes the steps; a refusal becomes part of the verdict. */
export async function judgeEvidence<Authentic>(steps: VerdictSteps<Authentic>): Promise<EvidenceVerdict> {
  let facts: EvidenceVerdict['facts'] = {}
  let isAuthentic = false
  try {
    const authentic = await steps.authenticate()
    isAuthentic = true
    facts = steps.factsOf(authentic)
    await steps.demandProduction(authentic)
    return { authentic: true, production: true, refusal: null, reason: null, facts }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return {
      authentic: isAuthentic,
      production: false,
      refusal: error.code,
      reason: error.message,
      facts,
    }
  }
}
