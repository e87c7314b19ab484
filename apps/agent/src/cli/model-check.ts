/** `sealroom model check`: the checks of an enclave on a model's own premises, and a trial load in the same sandbox. */
import { open } from 'node:fs/promises'
import type { CheckedModel, ValueInfo } from '#libs/model'
import { reasonOf } from '../durable-file.js'
import { AgentError } from '../errors.js'
import { readModelBytes, tryModel, type ModelRefusal } from '../models/try-model.js'
import { exitCodes } from './exit-codes.js'
import type { Session } from './session.js'
import type { Answer } from './world.js'

/** Checks a model's file; exit code 1 where an enclave would refuse it. */
export async function checkModelFile(_session: Session, path: string): Promise<Answer> {
  const trial = await tryModel(await readModelFile(path))
  return trial.model === null ? refused(path, trial.refusal) : accepted(path, trial.model, trial.sandbox)
}

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r')
    try {
      return await readModelBytes(file)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw new AgentError('FILE_UNREADABLE', `${path} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}

/** How a contract says it. An input or output that no contract can name is left out. */
function contractLines(inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): string[] {
  const named = ({ name, type, shape }: ValueInfo) =>
    `{ name: ${JSON.stringify(name)}, type: ${type}, columns: ${shape.slice(1).reduce<number>((product, size) => product * Number(size), 1)} }`
  const score = outputs.find(({ type, shape }) => type.startsWith('float') && typeof shape[0] === 'string')
  if (score === undefined)
    return ['  written  nowhere: a contract takes models that give float32 or float64 for each row']
  return [
    '  written in a contract as',
    `          inputs: [ ${inputs.map(named).join(', ')} ]`,
    `          output: ${named(score)}`,
  ]
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
      ...contractLines(inputs, outputs),
      `  loaded  in a child confined by ${mode === 'bubblewrap' ? 'bubblewrap' : "Node's permission model only"}`,
    ],
  }
}

function refused(path: string, { code, problem, place, mend }: ModelRefusal): Answer {
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

/** A value as people read it. */
export function valueLine({ name, type, shape }: ValueInfo): string {
  return `${name}: ${type} of [${shape.map((size) => (typeof size === 'string' ? 'rows' : size)).join(', ')}]`
}
