/**
 * Every bound of the worker in one place. They are measured with the build: no flag, file or variable changes one.
 * Sizes in bytes, times in seconds unless the name says otherwise.
 */
const mebibyte = 1024 * 1024
const gibibyte = 1024 * mebibyte

export const limits = {
  /** One segment's ciphertext, and all of a run's together. */
  segmentBytes: 16 * gibibyte,
  inputBytes: 64 * gibibyte,
  /** The hardware's evidence for one Offer. */
  evidenceBytes: mebibyte,

  /** The engine that holds data: its memory, and processor time over its life. */
  engineMemoryBytes: 8 * gibibyte,
  engineCpuSeconds: 14 * 24 * 3600,
  /** Segments that a warm engine has files for; a run with more waits for an engine of its own. */
  engineInputs: 48,
  /** What an engine may hand back, and what one sealed output may hold before padding. */
  resultRows: 100_000,
  /** People that one training learns from. */
  trainingRows: 20_000_000,
  /** Rows that one inference scores for one output, and what they may take up on their way to the model. */
  scoredRows: 100_000,
  scoredBytes: 96 * mebibyte,
  /** Memory of the child that runs a model, beside the runtime's own, and its processor time. */
  modelMemoryBytes: 4 * gibibyte,
  modelCpuSeconds: 14 * 24 * 3600,
  resultBytes: 32 * mebibyte,
  /** Reading the contract's query: no data is there yet, so a fixed time does. */
  parseSeconds: 10,

  /** How long an Offer stands. Nobody releases to it afterwards. */
  offerSeconds: 120,
  /** How long one question to the coordinator waits for something new. */
  pollSeconds: 20,
  /** How long an answer may take beyond that. */
  answerSeconds: 15,
  /** How often a message whose answer was lost is sent again, and the longest pause before: together longer than a coordinator's start. */
  sendAttempts: 9,
  sendPauseMilliseconds: 3_200,
  /** How long an instance waits for nonces, by its own count, and for one transfer of ciphertext. */
  nonceSeconds: 600,
  transferSeconds: 3600,
  /** Rounds that one instance takes part in before it gives the run back. */
  rounds: 5,

  /** Runs that one pool works on at the same time; beyond it no fresh instance is started. */
  poolRuns: 4,
} as const

export type Limits = { readonly [Name in keyof typeof limits]: number }
