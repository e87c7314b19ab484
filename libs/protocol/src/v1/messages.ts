/** Every message between an agent or a worker and the coordinator. Requests are strict; answers are checked by the caller too. */
import { z } from 'zod'
import { statementTypes } from '#libs/canonical'
import {
  boundedBytesSchema,
  countSchema,
  digestSchema,
  nameSchema,
  publicKeySchema,
  teeSchema,
  thumbprintSchema,
  timeSchema,
} from '../primitives.js'

const statementText = z.string().min(1).max(1_000_000)

/** RFC 9457 problem details; `code` is one of the project's error codes, `refusals` says why a decision said no. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  requestId: z.string(),
  refusals: z
    .array(
      z.object({
        rule: z.string(),
        expected: z.string(),
        seen: z.string(),
        who: z.string(),
        text: z.string(),
      }),
    )
    .optional(),
})

/** A log: its name, the key of its checkpoints, and the key by which the coordinator signs Activations. */
export const logInfoSchema = z.strictObject({
  origin: z.string().min(1).max(200),
  logKey: publicKeySchema,
  coordinatorKey: publicKeySchema,
  size: countSchema,
})

/**
 * Asks to record a statement. `attachment`: the sealed part of a request, the hardware's evidence bytes, or an
 * Accept's collateral.
 */
export const postStatementSchema = z.strictObject({
  statement: statementText,
  attachment: boundedBytesSchema(1_048_576).optional(),
  invitation: bounded(200).optional(),
})

/** Where a statement stands in the log; `index` null for kinds that are not logged. */
export const recordedSchema = z.strictObject({
  id: digestSchema,
  digest: digestSchema,
  index: countSchema.nullable(),
})

/** A statement as it is kept beside the log. */
export const recordedStatementSchema = z.strictObject({
  type: z.enum(statementTypes),
  id: digestSchema,
  digest: digestSchema,
  index: countSchema.nullable(),
  statement: statementText,
  attachment: z.string().nullable(),
})

export const leavesSchema = z.strictObject({
  from: countSchema,
  leaves: z.array(z.string().max(1000)).max(1000),
})
export const inclusionSchema = z.strictObject({
  index: countSchema,
  size: countSchema,
  proof: z.array(digestSchema).max(64),
})
export const consistencySchema = z.strictObject({
  from: countSchema,
  to: countSchema,
  proof: z.array(digestSchema).max(128),
})

/** A checkpoint as a signed note with all cosignatures known so far. */
export const checkpointSchema = z.strictObject({
  size: countSchema,
  root: digestSchema,
  note: z.string().max(20_000),
})

/** Checkpoints that somebody cosigned, by size; the next page begins after the last of them. */
export const cosignedCheckpointsSchema = z.strictObject({ checkpoints: z.array(checkpointSchema).max(500) })

export const postCosignatureSchema = z.strictObject({
  size: countSchema,
  root: digestSchema,
  line: z.string().min(1).max(400),
})
export const cosignRequestSchema = z.strictObject({ contract: digestSchema })

export const identityChainSchema = z.strictObject({
  thumbprint: thumbprintSchema,
  statements: z.array(statementText).min(1).max(1000),
})
export const identitiesSchema = z.strictObject({ identities: z.array(identityChainSchema).max(10_000) })

export const contractStates = ['proposed', 'active', 'expired', 'superseded', 'revoked', 'lapsed'] as const

/** Everything recorded about a contract that is not about one run. */
export const contractViewSchema = z.strictObject({
  id: digestSchema,
  name: z.string(),
  state: z.enum(contractStates),
  waitingFor: z.array(thumbprintSchema),
  statements: z.array(recordedStatementSchema),
  identities: z.array(identityChainSchema),
})
export const contractListSchema = z.strictObject({
  contracts: z.array(z.strictObject({ id: digestSchema, name: z.string(), state: z.enum(contractStates) })),
})

/** Every state of a run, in the order of design.md section 4; the last group are ends. */
export const runStates = [
  'awaitingApprovals',
  'awaitingOwners',
  'awaitingWorker',
  'collectingNonces',
  'awaitingOffer',
  'collectingAccepts',
  'collectingSpends',
  'recordingSpends',
  'collectingReleases',
  'running',
  'recordingReceipt',
  'awaitingOutputKeys',
  'completed',
  'failed',
  'denied',
  'refused',
  'expired',
  'lost',
  'leaseLost',
  'unrecorded',
  'cancelled',
] as const

/** The states in which nothing more will happen. */
export const runEndStates = [
  'completed',
  'failed',
  'denied',
  'refused',
  'expired',
  'lost',
  'leaseLost',
  'unrecorded',
  'cancelled',
] as const satisfies readonly (typeof runStates)[number][]

export const readinessSchema = z.strictObject({
  run: digestSchema,
  state: z.enum(['ready', 'waiting']),
  reason: z.string().max(500),
})

/** A run with everything recorded about it; `version` grows with every change. */
export const runViewSchema = z.strictObject({
  id: digestSchema,
  contract: digestSchema,
  computation: nameSchema,
  state: z.enum(runStates),
  version: countSchema,
  round: countSchema,
  waitingFor: z.array(z.strictObject({ what: z.string(), whom: z.array(z.string()), reason: z.string() })),
  endedBecause: z.string().nullable(),
  requestedAt: timeSchema,
  statements: z.array(recordedStatementSchema),
  outputs: z.array(z.strictObject({ name: nameSchema, digest: digestSchema, size: countSchema })),
})
export const runListSchema = z.strictObject({
  runs: z.array(
    z.strictObject({
      id: digestSchema,
      contract: digestSchema,
      computation: nameSchema,
      state: z.enum(runStates),
      requestedAt: timeSchema,
    }),
  ),
})

export const eventKinds = ['identity', 'contract', 'run', 'checkpoint', 'cosign'] as const

/** Events in one answer, at most; a shorter answer is the end of the feed as it was then. */
export const eventsPage = 500

/**
 * Something changed; read it where it stands. `cosign` asks the data owners named by the contract for a cosignature. Of a run that
 * is live `moment` tells where it stands now, so that nobody needs to read it to learn that nothing is theirs to do: a hint, like
 * all that the coordinator says.
 */
export const eventSchema = z.strictObject({
  cursor: countSchema,
  kind: z.enum(eventKinds),
  contract: digestSchema.nullable(),
  run: digestSchema.nullable(),
  size: countSchema.nullable(),
  moment: z.strictObject({ state: z.enum(runStates), round: countSchema }).nullable(),
})
export const eventsSchema = z.strictObject({
  events: z.array(eventSchema).max(eventsPage),
  next: countSchema,
})

export const invitationSchema = z.strictObject({ invitation: z.string(), expiresAt: timeSchema })
export const postInvitationSchema = z.strictObject({
  label: z.string().min(1).max(100),
  validHours: z
    .int()
    .min(1)
    .max(24 * 90),
})

export const registerWorkerSchema = z.strictObject({
  key: publicKeySchema,
  tee: teeSchema,
  measurement: z.string().regex(/^(?:[0-9a-f]{2}){16,64}$/),
  enrolment: bounded(200),
})

/** What a reserved worker gets: the run, its contract with identities, and everything recorded so far. */
export const assignmentSchema = z.strictObject({ run: runViewSchema, contract: contractViewSchema })

/** A worker ends its part without a Receipt; `owner` names whose lease ran out. */
export const workerEndSchema = z.strictObject({
  code: z.enum(['leaseLost', 'expired', 'unrecorded', 'refused', 'done']),
  owner: thumbprintSchema.nullable(),
  detail: z.string().max(500),
})

export type Problem = z.infer<typeof problemSchema>
export type LogInfo = z.infer<typeof logInfoSchema>
export type Recorded = z.infer<typeof recordedSchema>
export type RecordedStatement = z.infer<typeof recordedStatementSchema>
export type CheckpointMessage = z.infer<typeof checkpointSchema>
export type IdentityChainMessage = z.infer<typeof identityChainSchema>
export type ContractView = z.infer<typeof contractViewSchema>
export type ContractState = (typeof contractStates)[number]
export type RunState = (typeof runStates)[number]
export type RunView = z.infer<typeof runViewSchema>
export type Event = z.infer<typeof eventSchema>
export type Assignment = z.infer<typeof assignmentSchema>
export type WorkerEnd = z.infer<typeof workerEndSchema>
export type RegisterWorker = z.infer<typeof registerWorkerSchema>

function bounded(length: number): z.ZodString {
  return z.string().min(1).max(length)
}
