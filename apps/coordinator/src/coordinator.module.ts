/** The composition root: the only file that says which store, clock and keys the parts get. */
import { Module, type DynamicModule, type Provider } from '@nestjs/common'
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core'
import { join } from 'node:path'
import { Clock, SystemClock } from './clock.js'
import type { Config } from './config.js'
import { ContractBook } from './contracts/contract-book.js'
import { ContractViews } from './contracts/contract-view.js'
import { ContractsController } from './contracts/contracts.controller.js'
import { SignedContracts } from './contracts/signed-contracts.js'
import { EventFeed } from './events/event-feed.js'
import { EventsController } from './events/events.controller.js'
import { WakeGateway, WakeSettings } from './events/wake.gateway.js'
import { HealthController } from './health/health.controller.js'
import { OpenApiController } from './health/openapi.controller.js'
import { AuthenticationSettings, Authenticator } from './http/authenticate.js'
import { KeyDirectory } from './http/key-directory.js'
import { PartyAuthGuard } from './http/party-auth.guard.js'
import { ProblemFilter } from './http/problem.filter.js'
import { ReplayWindow } from './http/replay-window.js'
import { schemaPipe } from './http/schema.pipe.js'
import { ChangeSignal } from './ledger/change-signal.js'
import { Ledger } from './ledger/ledger.js'
import { Checkpoints } from './log/checkpoints.js'
import { CosignDemands } from './log/cosign-demands.js'
import { CosignatureBook } from './log/cosignature-book.js'
import { LogController } from './log/log.controller.js'
import { LogSettings, PublicLog } from './log/public-log.js'
import { RecordCosignature } from './log/record-cosignature.js'
import { IdentityBook } from './parties/identity-book.js'
import { InvitationBook } from './parties/invitation-book.js'
import { OperatorController } from './parties/operator.controller.js'
import { Randomness, SystemRandomness } from './randomness.js'
import { BeginDecision } from './runs/begin-decision.js'
import { RunBook } from './runs/run-book.js'
import { RunDriver, RunSettings } from './runs/run-driver.js'
import { RunsController } from './runs/runs.controller.js'
import { EnrolmentSettings, WorkerDesk } from './runs/worker-desk.js'
import { WorkerPool } from './runs/worker-pool.js'
import { WorkersController } from './runs/workers.controller.js'
import { RecordContract } from './statements/record-contract.js'
import { RecordData } from './statements/record-data.js'
import { RecordEnclave } from './statements/record-enclave.js'
import { RecordFetch } from './statements/record-fetch.js'
import { RecordIdentity } from './statements/record-identity.js'
import { RecordRequest } from './statements/record-request.js'
import { RecordRound } from './statements/record-round.js'
import { RecordStatement } from './statements/record-statement.js'
import { RunStatements } from './statements/run-statements.js'
import { SpendChains } from './statements/spend-chains.js'
import { StatementReader } from './statements/statement-reader.js'
import { StatementVerifier } from './statements/statement-verifier.js'
import { StatementsController } from './statements/statements.controller.js'
import { BlobFolder } from './storage/blob-folder.js'
import type { DataFolder } from './storage/data-folder.js'
import { LedgerStore } from './storage/ledger-store.js'
import type { Database } from './storage/open-database.js'
import { BlobAccess } from './uploads/blob-access.js'
import { BlobsController } from './uploads/blobs.controller.js'
import { UploadBook } from './uploads/upload-book.js'
import { UploadSettings, UploadStore } from './uploads/upload-store.js'
import { UploadsController } from './uploads/uploads.controller.js'

/** What the server is made of that it did not make itself. */
export interface Parts {
  readonly config: Config
  readonly folder: DataFolder
  readonly database: Database
  readonly clock?: Clock
  readonly randomness?: Randomness
}

const controllers = [
  LogController,
  StatementsController,
  ContractsController,
  RunsController,
  WorkersController,
  EventsController,
  UploadsController,
  BlobsController,
  OperatorController,
  HealthController,
  OpenApiController,
]

const services = [
  ...[Authenticator, KeyDirectory, ReplayWindow, ChangeSignal, Ledger],
  ...[IdentityBook, InvitationBook, ContractBook, ContractViews, SignedContracts],
  ...[PublicLog, CosignatureBook, CosignDemands, Checkpoints, RecordCosignature],
  ...[RunBook, RunDriver, BeginDecision, WorkerPool, WorkerDesk, EventFeed, WakeGateway],
  ...[
    RecordStatement,
    RecordIdentity,
    RecordContract,
    RecordData,
    RecordRequest,
    RecordRound,
    RecordEnclave,
    RecordFetch,
  ],
  ...[RunStatements, StatementVerifier, StatementReader, SpendChains],
  ...[UploadBook, UploadStore, BlobAccess],
]

@Module({})
export class CoordinatorModule {
  static from(parts: Parts): DynamicModule {
    const { config, folder, database } = parts
    const keys = { origin: config.origin, logKey: folder.logKey, coordinatorKey: folder.coordinatorKey }
    const given: Provider[] = [
      { provide: Clock, useValue: parts.clock ?? new SystemClock() },
      { provide: Randomness, useValue: parts.randomness ?? new SystemRandomness() },
      { provide: LedgerStore, useValue: new LedgerStore(database.prisma) },
      { provide: BlobFolder, useValue: new BlobFolder(join(folder.path, 'blobs')) },
      { provide: LogSettings, useValue: keys },
      {
        provide: AuthenticationSettings,
        useValue: { origin: config.origin, operatorToken: folder.operatorToken },
      },
      { provide: EnrolmentSettings, useValue: { enrolmentSecret: folder.enrolmentSecret } },
      ...[RunSettings, WakeSettings, UploadSettings].map((provide) => ({ provide, useValue: config })),
    ]
    const rim: Provider[] = [
      { provide: APP_GUARD, useClass: PartyAuthGuard },
      { provide: APP_FILTER, useClass: ProblemFilter },
      { provide: APP_PIPE, useFactory: schemaPipe },
    ]
    return { module: CoordinatorModule, controllers, providers: [...given, ...services, ...rim] }
  }
}
