/** What an enclave asks of a model, asked on its owner's own premises: every check of the file, and a trial load in the same sandbox. */
import type { FileHandle } from 'node:fs/promises'
import { checkModel, ModelError, modelLimits, parseModel, type CheckedModel } from '#libs/model'
import { RuntimeError, withModelRuntime } from '#libs/runtime'

/** Why an enclave would refuse a model. Names are the model's own. */
export interface ModelRefusal {
  readonly code: string
  readonly problem: string
  readonly place: string
  readonly mend: string
}

/** A model that passes, and what confined its trial; or why it does not. */
export type ModelTrial =
  | { readonly model: CheckedModel; readonly sandbox: string; readonly refusal: null }
  | { readonly model: null; readonly refusal: ModelRefusal }

/**
 * Tries a model's bytes.
 * @throws RuntimeError, EngineError where this machine cannot load any model.
 */
export async function tryModel(bytes: Uint8Array): Promise<ModelTrial> {
  try {
    const model = checkModel(parseModel(bytes))
    const sandbox = await withModelRuntime({}, async (runtime) => {
      await runtime.load(model)
      return runtime.mode
    })
    return { model, sandbox, refusal: null }
  } catch (cause) {
    if (cause instanceof ModelError) return { model: null, refusal: cause }
    if (cause instanceof RuntimeError && notTheMachine.has(cause.code)) {
      const { code, message: problem } = cause
      return { model: null, refusal: { code, problem, place: 'model', mend: 'export it again' } }
    }
    throw cause
  }
}

/** Failures of the trial load that lie in the model; the others lie in this machine. */
const notTheMachine = new Set(['MODEL_NOT_LOADED', 'OUT_OF_MEMORY', 'TIMED_OUT', 'CHILD_DIED'])

/** The bytes of a model's file: one more than a model may have, where it has more, so that the check refuses it unread. */
export async function readModelBytes(file: FileHandle): Promise<Uint8Array> {
  const { size } = await file.stat()
  const bytes = new Uint8Array(Math.min(size, modelLimits.bytes + 1))
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
  return bytes.subarray(0, bytesRead)
}
