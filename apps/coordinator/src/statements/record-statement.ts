/**
 * Records a statement: read what it claims, refuse what is not for this log, hand it to those who verify and judge its kind.
 * Nothing unverified is logged; the same statement twice is recorded once and answered alike.
 */
import { Injectable } from '@nestjs/common'
import {
  canonicalBytes,
  statementDigest,
  statementId,
  statementTypes,
  unverifiedStatement,
  type StatementType,
} from '#libs/canonical'
import type { Recorded } from '#libs/protocol'
import { Clock } from '../clock.js'
import { CoordinatorError, member } from '../errors.js'
import type { Caller } from '../http/caller.js'
import { Ledger } from '../ledger/ledger.js'
import { LogSettings, PublicLog } from '../log/public-log.js'
import { RecordContract } from './record-contract.js'
import { RecordData } from './record-data.js'
import { RecordEnclave } from './record-enclave.js'
import { RecordFetch } from './record-fetch.js'
import { RecordIdentity } from './record-identity.js'
import { RecordRequest } from './record-request.js'
import { RecordRound } from './record-round.js'
import type { PostedStatement } from './statement-context.js'

/** A statement from further in the future than this is refused: somebody's clock is wrong, and audits would stumble. */
const maximumAheadMilliseconds = 5 * 60_000

type Handler = (posted: PostedStatement) => Promise<Recorded>

@Injectable()
export class RecordStatement {
  private readonly handlers: Readonly<Record<StatementType, Handler>>

  constructor(
    private readonly log: LogSettings,
    private readonly publicLog: PublicLog,
    private readonly clock: Clock,
    private readonly ledger: Ledger,
    identity: RecordIdentity,
    contract: RecordContract,
    data: RecordData,
    request: RecordRequest,
    round: RecordRound,
    enclave: RecordEnclave,
    fetch: RecordFetch,
  ) {
    this.handlers = {
      identity: (posted) => identity.record(posted),
      contract: (posted) => contract.record(posted),
      activation: refuseOwn,
      manifest: (posted) => data.manifest(posted),
      'run-request': (posted) => request.request(posted),
      approval: (posted) => request.approval(posted),
      denial: (posted) => request.denial(posted),
      nonce: (posted) => round.nonce(posted),
      offer: (posted) => enclave.offer(posted),
      evidence: (posted) => enclave.evidence(posted),
      accept: (posted) => round.accept(posted),
      spend: (posted) => round.spend(posted),
      'key-release': (posted) => round.keyRelease(posted),
      refusal: (posted) => round.refusal(posted),
      start: (posted) => enclave.start(posted),
      renewal: (posted) => round.renewal(posted),
      receipt: (posted) => enclave.receipt(posted),
      'output-keys': (posted) => enclave.outputKeys(posted),
      fetch: (posted) => fetch.record(posted),
      revocation: (posted) => data.revocation(posted),
      withdrawal: (posted) => data.withdrawal(posted),
    }
  }

  async record(
    message: {
      readonly statement: string
      readonly attachment?: string | undefined
      readonly invitation?: string | undefined
    },
    caller: Caller,
  ): Promise<Recorded> {
    const { kid, type, payload } = unverifiedStatement(message.statement)
    if (!isStatementType(type))
      throw new CoordinatorError(
        'STATEMENT_TYPE_UNKNOWN',
        'the statement is of a type that this version does not know',
      )
    if (caller.kind === 'newcomer' && type !== 'identity')
      throw new CoordinatorError(
        'KEY_UNKNOWN',
        'the key of this request token is not the newest daemon key of a party, nor of a registered worker',
      )
    // Logged means verified: these very bytes were, whoever brings them again. (What is not logged, its run looks up.)
    const digest = statementDigest(message.statement)
    const logged = (): Recorded | null => {
      const index = this.publicLog.indexOf(digest)
      return index === undefined ? null : { id: statementId(type, canonicalBytes(payload)), digest, index }
    }
    const before = logged()
    if (before !== null) return before
    this.expectForThisLog(member(payload, 'log'))
    this.expectPlausible(member(payload, 'issuedAt'))
    const by = member(payload, 'by')
    try {
      return await this.handlers[type]({
        jws: message.statement,
        type,
        kid,
        by: typeof by === 'string' ? by : '',
        payload,
        attachment: message.attachment ?? null,
        invitation: message.invitation,
        caller,
      })
    } catch (refusal) {
      // The same bytes may have come twice at one time: what refuses the second is then what the first has made true.
      await this.ledger.settled()
      const twin = logged()
      if (twin === null) throw refusal
      return twin
    }
  }

  private expectForThisLog(log: unknown): void {
    if (log !== this.log.origin)
      throw new CoordinatorError(
        'STATEMENT_OTHER_LOG',
        `the statement is for another log; this one is ${this.log.origin}`,
      )
  }

  private expectPlausible(issuedAt: unknown): void {
    const time = typeof issuedAt === 'string' ? Date.parse(issuedAt) : Number.NaN
    // Written so that a time that is no time is refused too.
    if (!(time <= this.clock.now() + maximumAheadMilliseconds))
      throw new CoordinatorError(
        'STATEMENT_TIME_IMPLAUSIBLE',
        'the statement says it was issued in the future; compare the clocks',
      )
  }
}

function isStatementType(type: string): type is StatementType {
  return (statementTypes as readonly string[]).includes(type)
}

// The coordinator signs Activations itself, when the last signatory has signed.
function refuseOwn(): Promise<Recorded> {
  return Promise.reject(
    new CoordinatorError(
      'STATEMENT_TYPE_REFUSED',
      'an Activation is made by the coordinator, when the last signatory has signed',
    ),
  )
}
