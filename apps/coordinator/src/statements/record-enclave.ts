/** Records what an enclave says: Offer, Evidence, Start, Receipt, OutputKeys. What it is, the agents judge from its evidence. */
import { Injectable } from '@nestjs/common'
import { domains, thumbprintOf, verifyStatement, type StatementKind, type Verified } from '#libs/canonical'
import { computationOf, keysOf, offerIdentities, outputOf } from '#libs/contract'
import {
  evidenceKind,
  offerKind,
  offerSchema,
  outputKeysKind,
  receiptKind,
  startKind,
  type Offer,
  type OutputKeys,
  type Receipt,
  type Recorded,
} from '#libs/protocol'
import type { ContractEntry } from '../contracts/contract-entry.js'
import { CoordinatorError } from '../errors.js'
import { CosignatureBook } from '../log/cosignature-book.js'
import { PublicLog } from '../log/public-log.js'
import { IdentityBook } from '../parties/identity-book.js'
import type { RunEntry } from '../runs/run-book.js'
import type { RunRecord } from '../runs/run-record.js'
import { UploadBook } from '../uploads/upload-book.js'
import { expectAttachment } from './record-request.js'
import { RunStatements } from './run-statements.js'
import type { PostedStatement } from './statement-context.js'
import { StatementVerifier } from './statement-verifier.js'
import { member } from '../errors.js'

/** An Offer may not stand longer than this: its nonces are to be fresh. */
const maximumOfferMilliseconds = 15 * 60_000

@Injectable()
export class RecordEnclave {
  constructor(
    private readonly verifier: StatementVerifier,
    private readonly statements: RunStatements,
    private readonly identities: IdentityBook,
    private readonly uploads: UploadBook,
    private readonly log: PublicLog,
    private readonly cosignatures: CosignatureBook,
  ) {}

  async offer(posted: PostedStatement): Promise<Recorded> {
    const claimed = offerSchema.safeParse(posted.payload)
    if (!claimed.success)
      throw new CoordinatorError('REQUEST_MALFORMED', 'the Offer does not meet its schema')
    const entry = await this.statements.live(claimed.data.run)
    this.verifier.expectReserved(posted, entry.run)
    const statement = await verifyStatement(offerKind, posted.jws, claimed.data.receiptKey)
    if (statement.payload.by !== statement.kid)
      throw new CoordinatorError(
        'STATEMENT_NOT_BY_CALLER',
        `the Offer says it is by ${statement.payload.by}; expected its own receipt key ${statement.kid}`,
      )
    return await this.statements.record('offer', statement, (current, contract, draft) => {
      this.verifier.expectReserved(posted, current.run)
      if (current.run.record.offer !== null)
        throw new CoordinatorError('STATEMENT_CONFLICT', `round ${current.run.round} has an Offer already`)
      this.expectFits(statement, current, contract, draft.now)
      return {
        kind: 'offered',
        id: statement.id,
        receiptKey: statement.payload.receiptKey,
        expiresAt: statement.payload.expiresAt,
      }
    })
  }

  async evidence(posted: PostedStatement): Promise<Recorded> {
    const { statement } = await this.ofEnclave(evidenceKind, posted)
    const { offer, evidenceDigest } = statement.payload
    expectAttachment(posted.attachment, domains.evidenceBytes, evidenceDigest, null)
    return await this.statements.record(
      'evidence',
      statement,
      ({ run: { record } }) => {
        if (offer !== record.offer?.id)
          throw new CoordinatorError(
            'ROUND_OTHER',
            `the evidence is of Offer ${offer}; round ${record.round} has ${record.offer?.id ?? 'none'}`,
          )
        return { kind: 'evidenced', id: statement.id }
      },
      posted.attachment,
    )
  }

  async start(posted: PostedStatement): Promise<Recorded> {
    const { statement } = await this.ofEnclave(startKind, posted)
    const { offers, releases } = statement.payload
    return await this.statements.record('start', statement, ({ run: { record } }) => {
      expectSame('Offers', offers, [record.offer?.id ?? ''])
      expectSame(
        'releases',
        releases,
        record.releases.map(({ id }) => id),
      )
      if (record.start !== null)
        throw new CoordinatorError(
          'STATEMENT_CONFLICT',
          'the run was started already; an Offer is executed once',
        )
      return { kind: 'started', id: statement.id }
    })
  }

  async receipt(posted: PostedStatement): Promise<Recorded> {
    const { statement } = await this.ofEnclave(receiptKind, posted)
    return await this.statements.record('receipt', statement, ({ run }, contract, draft) => {
      const { payload } = statement
      this.expectAccounts(payload, run.record)
      this.expectOutputs(
        payload,
        contract,
        run.computation,
        posted.caller.kind === 'worker' ? posted.caller.thumbprint : '',
      )
      const outputs = payload.outputs.map(({ name, digest, size, recipients }) => ({
        name,
        digest,
        size,
        recipients: recipients.map(({ party }) => party),
      }))
      return ({ id, index }) => ({
        kind: 'receipted',
        id,
        index: index ?? 0,
        outcome: payload.outcome,
        outputs,
        sizeAfter: draft.size,
      })
    })
  }

  async outputKeys(posted: PostedStatement): Promise<Recorded> {
    const { statement } = await this.ofEnclave(outputKeysKind, posted)
    const { root } = await this.log.checkpoint(Math.min(statement.payload.checkpoint.size, this.log.size))
    return await this.statements.record('output-keys', statement, ({ run: { record } }) => {
      this.expectRecorded(statement.payload, record, root)
      const expected = record.outputs.flatMap(({ name, recipients }) =>
        recipients.map((recipient) => `${name} ${recipient}`),
      )
      expectSame(
        'output keys',
        statement.payload.keys.map(({ output, recipient }) => `${output} ${recipient}`),
        expected,
      )
      return { kind: 'keysGiven' }
    })
  }

  /** Verifies a statement of the round's receipt key. */
  private async ofEnclave<P extends { readonly by: string }>(
    kind: StatementKind<P>,
    posted: PostedStatement,
  ): Promise<{ statement: Verified<P>; entry: RunEntry }> {
    const run = member(posted.payload, 'run')
    const entry = await this.statements.live(typeof run === 'string' ? run : '')
    return { statement: await this.verifier.ofEnclave(kind, posted, entry), entry }
  }

  private expectFits(
    { payload }: Verified<Offer>,
    { run: { record } }: RunEntry,
    { contract }: ContractEntry,
    now: number,
  ): void {
    const { terms } = contract
    const entry = terms.enclaves[payload.enclave]
    if (entry === undefined)
      throw new CoordinatorError(
        'CONTRACT_MISMATCH',
        `the Offer names enclave entry ${payload.enclave}; the contract has ${terms.enclaves.length}`,
      )
    if (payload.place !== 0 || payload.places !== 1)
      throw new CoordinatorError(
        'ROUND_OTHER',
        `the Offer is for place ${payload.place} of ${payload.places}; a run has one`,
      )
    expectSameRecord('nonces', payload.nonces, record.nonces)
    const identities = Object.fromEntries(
      offerIdentities(terms).map((party) => [party, this.identities.newestId(party) ?? '']),
    )
    expectSameRecord('Identities', payload.identities, identities)
    const left = Date.parse(payload.expiresAt) - now
    if (left <= 0 || left > maximumOfferMilliseconds)
      throw new CoordinatorError(
        'STATEMENT_TIME_IMPLAUSIBLE',
        `the Offer expires at ${payload.expiresAt}; expected a time within ${maximumOfferMilliseconds / 60_000} minutes`,
      )
    if (thumbprintOf(payload.receiptKey) !== payload.by)
      throw new CoordinatorError('STATEMENT_NOT_BY_CALLER', 'the Offer is not by its own receipt key')
  }

  private expectAccounts(receipt: Receipt, record: RunRecord): void {
    expectSame('Offers', receipt.offers, [record.offer?.id ?? ''])
    expectSame('evidence', receipt.evidence, [record.evidence ?? ''])
    expectSame(
      'releases',
      receipt.releases,
      record.releases.map(({ id }) => id),
    )
    if (receipt.start !== record.start)
      throw invalid(`it names Start ${receipt.start}; recorded is ${record.start ?? 'none'}`)
    const expected = record.terms.inputs.map(({ dataset, owner, manifest }) => {
      const spend = record.spends.find((recorded) => recorded.owner === owner && recorded.dataset === dataset)
      return `${dataset} ${owner} ${manifest} ${spend?.id ?? ''}`
    })
    expectSame(
      'inputs',
      receipt.inputs.map(({ dataset, owner, manifest, spend }) => `${dataset} ${owner} ${manifest} ${spend}`),
      expected,
    )
  }

  private expectOutputs(
    receipt: Receipt,
    { contract }: ContractEntry,
    computation: string,
    worker: string,
  ): void {
    const { terms } = contract
    const named = computationOf(terms, computation)
    if (receipt.computation !== computation || named === undefined)
      throw invalid(`it is of computation ${receipt.computation}; the request asked for ${computation}`)
    if (receipt.outcome !== 'completed' && receipt.outputs.length > 0)
      throw invalid(`its outcome is ${receipt.outcome}, and yet it has outputs`)
    if (new Set(receipt.outputs.map(({ name }) => name)).size !== receipt.outputs.length)
      throw invalid('it names an output twice')
    for (const { name, digest, size, recipients } of receipt.outputs) {
      const output = outputOf(named, name)
      if (output === undefined) throw invalid(`the contract names no output ${name} of ${computation}`)
      const allowed = keysOf(terms, output.recipients)
      const stranger = recipients.find(({ party }) => !allowed.includes(party))
      if (stranger !== undefined)
        throw invalid(`output ${name} is sealed to ${stranger.party}, who is no recipient of it`)
      const upload = this.uploads.findStored(digest, worker)
      if (upload === undefined)
        throw new CoordinatorError(
          'BLOB_UNKNOWN',
          `output ${name}: blob ${digest} is not uploaded; upload it first`,
        )
      if (upload.size !== size)
        throw invalid(`output ${name}: blob ${digest} has ${upload.size} bytes; the Receipt says ${size}`)
    }
  }

  private expectRecorded({ receipt, checkpoint }: OutputKeys, record: RunRecord, root: string): void {
    if (receipt !== record.receipt?.id)
      throw invalid(`the output keys are for Receipt ${receipt}; recorded is ${record.receipt?.id ?? 'none'}`)
    if (checkpoint.size > this.log.size || checkpoint.root !== root)
      throw new CoordinatorError(
        'CHECKPOINT_UNKNOWN',
        `the log has no checkpoint of size ${checkpoint.size} with root ${checkpoint.root}`,
      )
    const cosigners = this.cosignatures.witnesses(checkpoint.size)
    const missing = record.terms.owners.filter((owner) => !cosigners.includes(owner))
    if (checkpoint.size <= record.receipt.index || missing.length > 0)
      throw invalid(
        `checkpoint ${checkpoint.size} does not record the Receipt: ${missing.length} data owners have not cosigned it`,
      )
  }
}

function expectSame(what: string, seen: readonly string[], expected: readonly string[]): void {
  const same =
    seen.length === expected.length &&
    new Set(seen).size === seen.length &&
    expected.every((item) => seen.includes(item))
  if (!same)
    throw invalid(
      `its ${what} are not those that are recorded (${seen.length} seen, ${expected.length} expected)`,
    )
}

function expectSameRecord(
  what: string,
  seen: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string>>,
): void {
  const differs = [...new Set([...Object.keys(seen), ...Object.keys(expected)])].filter(
    (key) => seen[key] !== expected[key],
  )
  if (differs.length > 0)
    throw new CoordinatorError(
      'ROUND_OTHER',
      `the ${what} in the Offer are not those of this round: ${differs.join(', ')} differ`,
    )
}

function invalid(message: string): CoordinatorError {
  return new CoordinatorError('RECEIPT_INVALID', message)
}
