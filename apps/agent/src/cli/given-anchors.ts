/** What a person gives on a machine where no agent lives, instead of a home's pins. */
import type { TrustedHardware } from '#libs/attestation'
import { publicKeySchema, thumbprintSchema } from '#libs/protocol'
import type { AuditAnchors } from '../audit/material.js'
import { AgentError } from '../errors.js'

export interface GivenAnchors {
  readonly origin?: string
  readonly logKey?: string
  readonly party?: readonly string[]
}

export function isGiven({ origin, logKey, party }: GivenAnchors): boolean {
  return origin !== undefined || logKey !== undefined || party !== undefined
}

/** @throws AgentError `USAGE` where something is missing or is no key. */
export function givenAnchors(
  { origin, logKey, party = [] }: GivenAnchors,
  hardware: TrustedHardware,
): AuditAnchors {
  const key = publicKeySchema.safeParse({ kty: 'OKP', crv: 'Ed25519', x: logKey })
  if (origin === undefined || !key.success)
    throw new AgentError(
      'USAGE',
      'without an agent: give --origin and --log-key (43 characters), and --party for each party',
    )
  const pinned = party.map((pair) => {
    const [label = '', thumbprint = ''] = pair.split(/=(.*)/s)
    if (label === '' || !thumbprintSchema.safeParse(thumbprint).success)
      throw new AgentError(
        'USAGE',
        `--party ${pair}: expected LABEL=THUMBPRINT, a thumbprint of 43 characters`,
      )
    return [thumbprint, label] as const
  })
  return { origin, logKey: key.data, pinned: new Map(pinned), seen: [], hardware }
}
