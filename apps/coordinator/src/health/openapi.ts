/** The interface as OpenAPI 3.1, made from the schemas that the server checks with. */
import { z } from 'zod'
import {
  assignmentSchema,
  checkpointSchema,
  consistencySchema,
  cosignedCheckpointsSchema,
  contractListSchema,
  contractViewSchema,
  cosignRequestSchema,
  eventsSchema,
  identitiesSchema,
  identityChainSchema,
  inclusionSchema,
  invitationSchema,
  leavesSchema,
  logInfoSchema,
  postCosignatureSchema,
  postInvitationSchema,
  postStatementSchema,
  problemSchema,
  readinessSchema,
  recordedSchema,
  recordedStatementSchema,
  registerWorkerSchema,
  requestScheme,
  runListSchema,
  runViewSchema,
  workerEndSchema,
} from '#libs/protocol'

interface Operation {
  readonly summary: string
  readonly query?: readonly string[]
  readonly body?: z.ZodType
  readonly answer?: z.ZodType
  /** Anything but a signed request. */
  readonly open?: 'anyone' | 'operator'
}

type Method = 'get' | 'post' | 'patch' | 'head'

/** Every route. A test compares it with what the server serves. */
export const operations: Readonly<Record<string, Partial<Record<Method, Operation>>>> = {
  '/v1/log': { get: { summary: 'Name, keys and size of the log', answer: logInfoSchema, open: 'anyone' } },
  '/v1/log/checkpoint': {
    get: {
      summary: 'A checkpoint with the cosignatures known',
      query: ['run', 'size'],
      answer: checkpointSchema,
      open: 'anyone',
    },
  },
  '/v1/log/leaves': {
    get: { summary: 'Leaves of a range', query: ['from', 'to'], answer: leavesSchema, open: 'anyone' },
  },
  '/v1/log/inclusion': {
    get: {
      summary: 'Proof that a statement is in the log',
      query: ['digest', 'size'],
      answer: inclusionSchema,
      open: 'anyone',
    },
  },
  '/v1/log/consistency': {
    get: {
      summary: 'Proof that the log only grew',
      query: ['from', 'to'],
      answer: consistencySchema,
      open: 'anyone',
    },
  },
  '/v1/log/cosigned': {
    get: {
      summary: 'Checkpoints that were cosigned, with all cosignatures',
      query: ['after'],
      answer: cosignedCheckpointsSchema,
    },
  },
  '/v1/log/cosignatures': { post: { summary: 'Cosign a checkpoint', body: postCosignatureSchema } },
  '/v1/log/cosign-requests': {
    post: { summary: 'Ask the witnesses of a contract to cosign', body: cosignRequestSchema },
  },
  '/v1/statements': {
    post: { summary: 'Record a statement', body: postStatementSchema, answer: recordedSchema },
  },
  '/v1/statements/{digest}': { get: { summary: 'A recorded statement', answer: recordedStatementSchema } },
  '/v1/identities': { get: { summary: 'Every party', answer: identitiesSchema } },
  '/v1/identities/{thumbprint}': {
    get: { summary: 'The Identities of a party', answer: identityChainSchema },
  },
  '/v1/contracts': { get: { summary: "The caller's contracts", answer: contractListSchema } },
  '/v1/contracts/{id}': {
    get: { summary: 'A contract and everything recorded about it', answer: contractViewSchema },
  },
  '/v1/runs': {
    get: { summary: 'The newest runs under a contract', query: ['contract'], answer: runListSchema },
  },
  '/v1/runs/{id}': { get: { summary: 'A run and everything recorded about it', answer: runViewSchema } },
  '/v1/runs/readiness': {
    post: { summary: 'A data owner is ready for a run, or waits for its people', body: readinessSchema },
  },
  '/v1/runs/{id}/cancel': { post: { summary: 'The requester cancels a run', body: z.strictObject({}) } },
  '/v1/events': { get: { summary: 'What changed since a cursor', query: ['after'], answer: eventsSchema } },
  '/v1/uploads': { post: { summary: 'Begin an upload (tus 1.0)' } },
  '/v1/uploads/{digest}': {
    patch: { summary: 'Append a part (tus 1.0)' },
    head: { summary: 'Where an upload stands (tus 1.0)' },
  },
  '/v1/blobs/{digest}': { get: { summary: 'Ciphertext, whole or a range' } },
  '/v1/operator/invitations': {
    post: { summary: 'Give a seat', body: postInvitationSchema, answer: invitationSchema, open: 'operator' },
  },
  '/v1/workers': { post: { summary: 'Register an enclave worker', body: registerWorkerSchema } },
  '/v1/workers/assignment': { get: { summary: 'Wait for a run', query: ['wait'], answer: assignmentSchema } },
  '/v1/workers/runs/{id}': {
    get: { summary: 'Wait for news of the run', query: ['version', 'wait'], answer: runViewSchema },
  },
  '/v1/workers/runs/{id}/end': { post: { summary: 'A worker ends its part', body: workerEndSchema } },
  '/health/live': { get: { summary: 'The process answers', open: 'anyone' } },
  '/health/ready': { get: { summary: 'The server can record', open: 'anyone' } },
  '/openapi.json': { get: { summary: 'This document', open: 'anyone' } },
}

/** The document. */
export function openApiDocument(): object {
  const paths = Object.fromEntries(
    Object.entries(operations).map(([path, methods]) => [path, pathItem(path, methods)]),
  )
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sealroom coordinator',
      version: '1',
      description: 'Statements are signed; answers are claims that the caller verifies.',
    },
    paths,
    components: {
      securitySchemes: {
        signed: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: `${requestScheme} <token>, bound to method, path and body`,
        },
        operator: { type: 'http', scheme: 'bearer' },
      },
      schemas: { Problem: jsonSchema(problemSchema) },
    },
  }
}

function pathItem(path: string, methods: Partial<Record<Method, Operation>>): object {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  return Object.fromEntries(
    Object.entries(methods).map(([method, operation]) => [
      method,
      {
        summary: operation.summary,
        parameters: [
          ...inPath,
          ...(operation.query ?? []).map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
        ],
        ...(operation.body === undefined
          ? {}
          : { requestBody: { required: true, content: content('application/json', operation.body) } }),
        responses: {
          '200': {
            description: 'Done',
            ...(operation.answer === undefined
              ? {}
              : { content: content('application/json', operation.answer) }),
          },
          default: {
            description: 'Refused',
            content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
          },
        },
        security:
          operation.open === 'anyone'
            ? []
            : [{ [operation.open === 'operator' ? 'operator' : 'signed']: [] }],
      },
    ]),
  )
}

function content(type: string, schema: z.ZodType): object {
  return { [type]: { schema: jsonSchema(schema) } }
}

function jsonSchema(schema: z.ZodType): object {
  return z.toJSONSchema(schema, { target: 'draft-2020-12', unrepresentable: 'any', io: 'input' })
}
