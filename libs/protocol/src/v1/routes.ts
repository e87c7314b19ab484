/** Paths of the coordinator's interface, used by server and clients alike. */
export const routes = {
  log: '/v1/log',
  checkpoint: '/v1/log/checkpoint',
  /** the checkpoint that a run waits or waited for: the one with its Receipt, or before that the one with its Spends */
  checkpointOf: (run: string) => `/v1/log/checkpoint?run=${run}`,
  checkpointAt: (size: number) => `/v1/log/checkpoint?size=${size}`,
  cosignedCheckpoints: (after: number) => `/v1/log/cosigned?after=${after}`,
  leaves: (from: number, to: number) => `/v1/log/leaves?from=${from}&to=${to}`,
  inclusion: (digest: string, size: number) => `/v1/log/inclusion?digest=${digest}&size=${size}`,
  consistency: (from: number, to: number) => `/v1/log/consistency?from=${from}&to=${to}`,
  cosignatures: '/v1/log/cosignatures',
  cosignRequests: '/v1/log/cosign-requests',
  statements: '/v1/statements',
  statement: (digest: string) => `/v1/statements/${digest}`,
  identities: '/v1/identities',
  identity: (thumbprint: string) => `/v1/identities/${thumbprint}`,
  contracts: '/v1/contracts',
  contract: (id: string) => `/v1/contracts/${id}`,
  runs: (contract: string) => `/v1/runs?contract=${contract}`,
  run: (id: string) => `/v1/runs/${id}`,
  /** the run as soon as it is in another state */
  runAfter: (id: string, state: string, waitSeconds: number) =>
    `/v1/runs/${id}?after=${state}&wait=${waitSeconds}`,
  readiness: '/v1/runs/readiness',
  cancel: (id: string) => `/v1/runs/${id}/cancel`,
  events: (after: number) => `/v1/events?after=${after}`,
  wake: '/v1/wake',
  uploads: '/v1/uploads',
  blob: (digest: string) => `/v1/blobs/${digest}`,
  invitations: '/v1/operator/invitations',
  workers: '/v1/workers',
  assignment: (waitSeconds: number) => `/v1/workers/assignment?wait=${waitSeconds}`,
  workerRun: (id: string, version: number, waitSeconds: number) =>
    `/v1/workers/runs/${id}?version=${version}&wait=${waitSeconds}`,
  workerEnd: (id: string) => `/v1/workers/runs/${id}/end`,
} as const
