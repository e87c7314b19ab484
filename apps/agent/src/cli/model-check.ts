/** `sealroom model check`: the checks of an enclave on a model's own premises, and a trial load in the same sandbox. */
import { open } from 'node:fs/promises'
import {
  checkModel,
  ModelError,
  modelLimits,
  parseModel,
  type CheckedModel,
  type ValueInfo,
} from '#libs/model'
import { RuntimeError, withModelRuntime } from '#libs/runtime'
import { reasonOf } from '../durable-file.js'
import { AgentError } from '../errors.js'
import { exitCodes } from './exit-codes.js'
import type { Session } from './session.js'
import type { Answer } from './world.js'

/** Checks a model's file; exit code 1 where an enclave would refuse it. */
export async function checkModelFile(_session: Session, path: string): Promise<Answer> {
  const bytes = await readModelFile(path)
  try {
    const model = checkModel(parseModel(bytes))
    const mode = await withModelRuntime({}, async (runtime) => {
      await runtime.load(model)
      return runtime.mode
    })
    return accepted(path, model, mode)
  } catch (cause) {
    if (cause instanceof ModelError) return refused(path, cause)
    if (cause instanceof RuntimeError && notTheMachine.has(cause.code))
      return refused(path, {
        code: cause.code,
        place: 'model',
        mend: 'export it again',
        problem: cause.message,
      })
    throw cause
  }
}

/** Failures of the trial load that lie in the model; the others lie in this machine. */
const notTheMachine = new Set(['MODEL_NOT_LOADED', 'OUT_OF_MEMORY', 'TIMED_OUT', 'CHILD_DIED'])

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      // One byte more than allowed tells the check that it is too much, without reading the rest.
      const bytes = new Uint8Array(Math.min(size, modelLimits.bytes + 1))
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
      return bytes.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw new AgentError('FILE_UNREADABLE', `${path} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}

function accepted(path: string, { bytes, inputs, outputs, operators }: CheckedModel, mode: string): Answer {
  return {
    json: {
      file: path,
      accepted: true,
      inputs,
      outputs,
      operators: Object.fromEntries(operators),
      bytes: bytes.length,
      sandbox: mode,
    },
    text: [
      `${path} passes the checks of an enclave`,
      '',
      ...inputs.map((value) => `  takes   ${valueLine(value)}`),
      ...outputs.map((value) => `  gives   ${valueLine(value)}`),
      `  uses    ${[...operators].map(([name, count]) => (count === 1 ? name : `${name} (${count})`)).join(', ')}`,
      `  size    ${bytes.length} bytes, as it is encoded for the runtime`,
      '  runs    nowhere yet: contracts of this version take no models as inputs',
      `  loaded  in a child confined by ${mode === 'bubblewrap' ? 'bubblewrap' : "Node's permission model only"}`,
    ],
  }
}

interface Refusal {
  readonly code: string
  readonly problem: string
  readonly place: string
  readonly mend: string
}

function refused(path: string, { code, problem, place, mend }: Refusal): Answer {
  return {
    json: { file: path, accepted: false, code, problem, place, mend },
    text: [
      `${path} would be refused [${code}]`,
      '',
      `  why    ${problem}`,
      `  where  ${place}`,
      `  mend   ${mend}`,
    ],
    exit: exitCodes.refused,
  }
}

function valueLine({ name, type, shape }: ValueInfo): string {
  return `${name}: ${type} of [${shape.map((size) => (typeof size === 'string' ? 'rows' : size)).join(', ')}]`
}
