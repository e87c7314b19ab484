/**
 * Bodies become acts: each at its place in the log, the leaf there committing to exactly this JWS, its signature verified under the
 * one key that may make such a statement at that place. What does not pass is named and takes no part in the history.
 */
import {
  CodedError,
  fromBase64url,
  fromUtf8,
  parseCanonical,
  statementDigest,
  thumbprintOf,
  verifyStatement,
  type Digest,
  type PublicKey,
  type StatementKind,
  type StatementType,
  type Thumbprint,
} from '#libs/canonical'
import { offerKind, publicKeySchema, statementRules, type Offer } from '#libs/protocol'
import { runPseudonym, signerPseudonym } from '#libs/translog'
import { broken, open, type FindingList } from './finding.js'
import { keyAt, type PlacedIdentities } from './identities.js'
import type { Act } from './history.js'
import type { ShownStatement } from './material.js'
import type { ShownLog } from './read-log.js'

/** What every statement about a contract holds. */
export interface Signed {
  readonly by: Thumbprint
  readonly log: string
  readonly issuedAt: string
}

/** A body with its digest and place; nothing of it is verified. */
export interface PlacedBody extends ShownStatement {
  readonly digest: Digest
  /** Null where the log has no such entry: right for a Nonce and a Renewal alone. */
  readonly index: number | null
  readonly kid: Thumbprint
}

/** Finds the place of each body, in the log's order, each once; names those that the log does not have. */
export function placeBodies(
  shown: readonly ShownStatement[],
  log: ShownLog,
  findings: FindingList,
): readonly PlacedBody[] {
  const bodies = new Map<Digest, PlacedBody>()
  for (const body of shown) {
    const digest = statementDigest(body.statement)
    const index = log.placeOf.get(digest) ?? null
    const place = { index, type: body.type, id: digest } as const
    const leaf = index === null ? null : log.leaves[index]
    const header = headerOf(body.statement)
    if (header?.type !== body.type)
      findings.add('record.type', broken(place, `a ${body.type}`, header?.type ?? 'no statement'))
    else if (leaf === null && statementRules[body.type].logged)
      findings.add('record.logged', broken(place, `an entry of the log for this ${body.type}`, 'none'))
    else if (leaf !== null && leaf?.type !== body.type)
      findings.add('record.type', broken(place, `a leaf of type ${body.type}`, leaf?.type ?? 'no leaf'))
    else bodies.set(digest, { ...body, digest, index, kid: header.kid })
  }
  return [...bodies.values()].sort((a, b) => (a.index ?? -1) - (b.index ?? -1))
}

export class ActReader {
  private readonly pseudonyms = new Map<string, string>()
  private readonly partyOfKey = new Map<Thumbprint, Thumbprint>()

  /** Digests of bodies whose key stands in an entry that was not shown: nothing can be said of them. */
  readonly unread = new Set<Digest>()
  private readonly hiddenOffers = new Map<string, number>()
  private hiddenIdentity: number | null = null

  constructor(
    private readonly of: {
      readonly origin: string
      readonly log: ShownLog
      readonly identities: PlacedIdentities
      /** Digests of everything that was shown. */
      readonly shown: ReadonlySet<Digest>
    },
    private readonly findings: FindingList,
  ) {
    for (const [index, leaf] of of.log.leaves.entries()) {
      if (leaf === null || of.shown.has(leaf.digest)) continue
      if (leaf.type === 'offer' && leaf.run !== null) this.hiddenOffers.set(leaf.run, index)
      if (leaf.type === 'identity') this.hiddenIdentity = index
    }
    for (const [party, links] of of.identities)
      for (const { payload } of links) {
        this.partyOfKey.set(thumbprintOf(payload.daemonKey), party)
        this.partyOfKey.set(thumbprintOf(payload.consentKey), party)
      }
  }

  /** A statement of a party, under the key that its newest Identity before the place names. */
  async byParty<P extends Signed>(kind: StatementKind<P>, body: PlacedBody): Promise<Act<P> | null> {
    const party = this.partyOfKey.get(body.kid)
    if (party === undefined) return this.withoutIdentity(body)
    const links = this.of.identities.get(party) ?? []
    const found = keyAt(links, body.type, body.kid, body.index ?? Number.MAX_SAFE_INTEGER)
    if (found.fault !== null)
      this.findings.add('authority', broken(this.placeOf(body), authorityOf(body.type), found.fault))
    if (found.key === null) return null
    const act = await this.under(kind, body, found.key)
    if (act !== null && act.payload.by !== party)
      return this.refuse('authority', body, `signed by ${act.payload.by}, as it says`, `by ${party}`)
    return act
  }

  /** A statement under a known key that is no party's: an Offer's, or the coordinator's. */
  async byKey<P extends Signed>(
    kind: StatementKind<P>,
    body: PlacedBody,
    key: PublicKey,
  ): Promise<Act<P> | null> {
    const act = await this.under(kind, body, key)
    if (act !== null && act.payload.by !== act.statement.kid)
      return this.refuse(
        'authority',
        body,
        `by ${act.statement.kid}, which signed it`,
        `by ${act.payload.by}`,
      )
    return act
  }

  /** An Offer is signed by the key that it names: that proves possession. What makes the key an enclave's is the evidence. */
  async offer(body: PlacedBody): Promise<Act<Offer> | null> {
    const key = publicKeySchema.safeParse(claimedReceiptKey(body.statement))
    if (!key.success) return this.refuse('signature', body, 'an Offer', 'one that does not meet its schema')
    return await this.byKey(offerKind, body, key.data)
  }

  /** Whether the leaf names signer and run by the contract's pseudonyms of them. */
  expectPseudonyms(act: Act<Signed>, secret: string, signer: Thumbprint, run: Digest | null): void {
    const leaf = this.of.log.leaves[act.index]
    if (leaf === null || leaf === undefined) return
    const wanted = {
      signer: this.pseudonym('signer', secret, signer),
      run: run === null ? null : this.pseudonym('run', secret, run),
    }
    for (const name of ['signer', 'run'] as const)
      if (leaf[name] !== wanted[name])
        this.findings.add(
          'leaf.pseudonym',
          broken(act, `${name} ${wanted[name] ?? 'none'} in the leaf`, leaf[name] ?? 'none'),
        )
  }

  pseudonym(kind: 'signer' | 'run', secret: string, of: string): string {
    const key = `${kind} ${secret} ${of}`
    const known = this.pseudonyms.get(key)
    if (known !== undefined) return known
    const made = (kind === 'signer' ? signerPseudonym : runPseudonym)(fromBase64url(secret), of)
    this.pseudonyms.set(key, made)
    return made
  }

  /** A statement of an enclave whose Offer is not among those shown: either it was kept from this auditor, or there is none. */
  withoutOffer(body: PlacedBody): null {
    const run = body.index === null ? null : (this.of.log.leaves[body.index]?.run ?? null)
    const hidden = run === null ? undefined : this.hiddenOffers.get(run)
    if (hidden !== undefined) return this.leaveUnread(body, hidden)
    return this.refuse('authority', body, 'the receipt key of an Offer before it', `${body.kid}, of none`)
  }

  /** A statement under a key that no Identity shown names: either the Identity was kept from this auditor, or there is none. */
  withoutIdentity(body: PlacedBody): null {
    if (this.hiddenIdentity !== null) return this.leaveUnread(body, this.hiddenIdentity)
    return this.refuse('authority', body, authorityOf(body.type), `${body.kid}, which no Identity names`)
  }

  private leaveUnread(body: PlacedBody, hidden: number): null {
    this.unread.add(body.digest)
    const why = `the body at entry ${hidden}, which may name its key, was not shown`
    this.findings.add('authority', open(this.placeOf(body), `who signed this ${body.type}`, why))
    return null
  }

  /** Names what is wrong with a body that takes no part. */
  refuse(rule: string, body: PlacedBody, expected: string, seen: string): null {
    this.findings.add(rule, broken(this.placeOf(body), expected, seen))
    return null
  }

  /** A statement under a key, whoever it says it is by. */
  async under<P extends Signed>(
    kind: StatementKind<P>,
    body: PlacedBody,
    key: PublicKey,
  ): Promise<Act<P> | null> {
    try {
      const statement = await verifyStatement(kind, body.statement, key)
      const { id, payload } = statement
      if (payload.log !== this.of.origin)
        return this.refuse('record.log', body, `a statement for ${this.of.origin}`, `one for ${payload.log}`)
      const issuedAt = Date.parse(payload.issuedAt)
      return { type: body.type, index: body.index ?? -1, id, payload, issuedAt, statement }
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      return this.refuse('signature', body, `a ${body.type} signed by ${body.kid}`, error.message)
    }
  }

  private placeOf({ index, type, digest }: PlacedBody) {
    return { index, type, id: digest }
  }
}

function authorityOf(type: StatementType): string {
  const { authority } = statementRules[type]
  return authority.key === 'daemon'
    ? `a daemon key to which ${authority.act} is delegated at this place`
    : `a ${authority.key} key that counts at this place`
}

// Only to find the key: the schema of the whole is checked with the signature.
function claimedReceiptKey(jws: string): unknown {
  try {
    const text = fromUtf8(fromBase64url(jws.split('.')[1] ?? ''))
    return (JSON.parse(text) as { readonly receiptKey?: unknown } | null)?.receiptKey
  } catch (error) {
    if (!(error instanceof CodedError) && !(error instanceof SyntaxError)) throw error
    return undefined
  }
}

const headers = new Map<string, { readonly kid: Thumbprint; readonly type: string } | null>()
const maximumHeaders = 10_000

// Only to find the key: whoever verifies compares the header with the only one that the key and type allow.
function headerOf(jws: string): { readonly kid: Thumbprint; readonly type: string } | null {
  const text = jws.slice(0, jws.indexOf('.'))
  const known = headers.get(text)
  if (known !== undefined) return known
  const header = parseHeader(text)
  if (headers.size >= maximumHeaders) headers.clear()
  headers.set(text, header)
  return header
}

function parseHeader(text: string): { readonly kid: Thumbprint; readonly type: string } | null {
  try {
    const value = parseCanonical(fromBase64url(text))
    const { kid, typ } = value as { readonly kid?: unknown; readonly typ?: unknown }
    const type = typeof typ === 'string' ? /^sealroom-([a-z-]+)-v1\+jws$/.exec(typ)?.[1] : undefined
    return typeof kid === 'string' && type !== undefined ? { kid, type } : null
  } catch (error) {
    if (!(error instanceof CodedError) && !(error instanceof TypeError)) throw error
    return null
  }
}
