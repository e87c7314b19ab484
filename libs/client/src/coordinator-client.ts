import { z } from 'zod'
import {
  assignmentSchema,
  checkpointSchema,
  consistencySchema,
  contractListSchema,
  contractViewSchema,
  cosignedCheckpointsSchema,
  eventsSchema,
  identitiesSchema,
  identityChainSchema,
  inclusionSchema,
  leavesSchema,
  logInfoSchema,
  recordedSchema,
  recordedStatementSchema,
  routes,
  runListSchema,
  runViewSchema,
  type Assignment,
  type LogInfo,
  type Recorded,
  type RegisterWorker,
  type RunView,
  type WorkerEnd,
} from '#libs/protocol'
import {
  plainFetch,
  readAnswer,
  signedFetch,
  signedJson,
  type Connection,
  type JsonMessage,
} from './signed-fetch.js'

const nothing = z.unknown()

/** What a log claims to be, before anything is pinned: shown to people, who compare it out of band. */
export async function fetchLogInfo(url: string): Promise<LogInfo> {
  return await readAnswer(
    await plainFetch({ url }, { method: 'GET', path: routes.log }),
    logInfoSchema,
    routes.log,
  )
}

/** The coordinator's interface for agents and workers. Every answer is a claim: the caller verifies what matters. */
export class CoordinatorClient {
  constructor(readonly connection: Connection) {}

  checkpoint = () => this.get(checkpointSchema, routes.checkpoint)
  checkpointOf = (run: string) => this.get(checkpointSchema, routes.checkpointOf(run))
  checkpointAt = (size: number) => this.get(checkpointSchema, routes.checkpointAt(size))
  /** Checkpoints of more than `after` leaves that somebody cosigned, the smallest first, so many as one answer holds. */
  cosignedCheckpoints = (after: number) =>
    this.get(cosignedCheckpointsSchema, routes.cosignedCheckpoints(after))
  leaves = (from: number, to: number) => this.get(leavesSchema, routes.leaves(from, to))
  inclusion = (digest: string, size: number) => this.get(inclusionSchema, routes.inclusion(digest, size))
  consistency = (from: number, to: number) => this.get(consistencySchema, routes.consistency(from, to))
  cosign = (cosignature: { size: number; root: string; line: string }) =>
    this.post(nothing, routes.cosignatures, cosignature)
  requestCosignatures = (contract: string) => this.post(nothing, routes.cosignRequests, { contract })

  record = (statement: string, more: { attachment?: string; invitation?: string } = {}): Promise<Recorded> =>
    this.post(recordedSchema, routes.statements, { statement, ...more })
  statement = (digest: string) => this.get(recordedStatementSchema, routes.statement(digest))

  identities = () => this.get(identitiesSchema, routes.identities)
  identity = (thumbprint: string) => this.get(identityChainSchema, routes.identity(thumbprint))
  contracts = () => this.get(contractListSchema, routes.contracts)
  contract = (id: string) => this.get(contractViewSchema, routes.contract(id))
  runs = (contract: string) => this.get(runListSchema, routes.runs(contract))
  run = (id: string) => this.get(runViewSchema, routes.run(id))
  readiness = (answer: { run: string; state: 'ready' | 'waiting'; reason: string }) =>
    this.post(nothing, routes.readiness, answer)
  cancel = (run: string) => this.post(nothing, routes.cancel(run), {})
  events = (after: number) => this.get(eventsSchema, routes.events(after))

  registerWorker = (registration: RegisterWorker) => this.post(nothing, routes.workers, registration)
  endWorker = (run: string, end: WorkerEnd) => this.post(nothing, routes.workerEnd(run), end)

  /** Waits on the server until there is a run for this worker; null where there was none in that time. */
  async assignment(waitSeconds: number): Promise<Assignment | null> {
    return await this.getOrNull(assignmentSchema, routes.assignment(waitSeconds))
  }

  /** Waits on the server until the run is in another state; after that time it answers with what there is. */
  runAfter = (id: string, state: string, waitSeconds: number) =>
    this.get(runViewSchema, routes.runAfter(id, state, waitSeconds))

  /** Waits on the server until the run is newer than `version`; null where it was not in that time. */
  async workerRun(run: string, version: number, waitSeconds: number): Promise<RunView | null> {
    return await this.getOrNull(runViewSchema, routes.workerRun(run, version, waitSeconds))
  }

  private get<T>(schema: z.ZodType<T>, path: string): Promise<T> {
    return signedJson(this.connection, schema, { method: 'GET', path })
  }

  private post<T>(schema: z.ZodType<T>, path: string, json: unknown): Promise<T> {
    return signedJson(this.connection, schema, { method: 'POST', path, json } satisfies JsonMessage)
  }

  private async getOrNull<T>(schema: z.ZodType<T>, path: string): Promise<T | null> {
    const response = await signedFetch(this.connection, { method: 'GET', path })
    return response.status === 204 ? null : await readAnswer(response, schema, path)
  }
}
