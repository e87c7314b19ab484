/**
 * Evidence of NVIDIA GPUs by NVIDIA's own command line, `nvattest`, as a child process: it alone speaks with the driver. Guards that each
 * GPU was asked with the nonce of its place; says nothing about what the evidence is worth, which whoever is shown it verifies.
 */
import { spawn } from 'node:child_process'
import { z } from 'zod'
import { canonicalBytes, toHex } from '#libs/canonical'
import { EnclaveError } from '../errors.js'

/** Runs NVIDIA's tool with arguments; what it prints. Fails where the tool does. */
export type GpuTool = (args: readonly string[]) => Promise<string>

const answerSchema = z.looseObject({
  evidences: z
    .array(z.looseObject({ evidence: z.string(), certificate: z.string(), nonce: z.string().optional() }))
    .max(64),
})

/**
 * Asks each GPU with its nonce. The tool asks all GPUs with one nonce, so it runs once for each; of its answer only the one in that place
 * counts.
 * @throws EnclaveError `TEE_FAILED` where the tool fails, or the machine has another number of GPUs.
 */
export async function gpuEvidenceBy(
  tool: GpuTool,
  nonces: readonly Uint8Array[],
): Promise<readonly Uint8Array[]> {
  const evidence: Uint8Array[] = []
  // One after the other: they share the devices.
  for (const [place, nonce] of nonces.entries()) {
    const answer = await answerOf(tool, nonce)
    const device = answer[place]
    if (device === undefined || answer.length !== nonces.length)
      throw failed(`this machine has ${answer.length} GPUs; the contract demands ${nonces.length}`)
    evidence.push(canonicalBytes([device]))
  }
  return evidence
}

interface Device {
  readonly [name: string]: string
  readonly certificate: string
  readonly evidence: string
}

async function answerOf(tool: GpuTool, nonce: Uint8Array): Promise<readonly Device[]> {
  const text = await tool(['collect-evidence', '--device', 'gpu', '--nonce', toHex(nonce)])
  try {
    return answerSchema
      .parse(JSON.parse(text))
      .evidences.map(({ certificate, evidence }) => ({ certificate, evidence }))
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof z.ZodError)) throw cause
    throw failed('it prints something else than evidence', cause)
  }
}

/** Where the measured image has the tool. */
export const gpuToolPath = '/usr/bin/nvattest'
/** A machine with eight GPUs takes some seconds. */
const toolMilliseconds = 60_000
const maximumOutput = 4 * 1024 * 1024

/** NVIDIA's tool at a path of the image. It gets no environment of ours, and nothing on its standard input. */
export function gpuToolAt(path: string): GpuTool {
  return (args) =>
    new Promise((resolve, reject) => {
      const child = spawn(path, args, {
        env: {},
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: toolMilliseconds,
        killSignal: 'SIGKILL',
      })
      const parts: Buffer[] = []
      let length = 0
      child.stdout.on('data', (part: Buffer) => {
        length += part.length
        if (length > maximumOutput) child.kill('SIGKILL')
        else parts.push(part)
      })
      child.once('error', (cause) => {
        reject(failed('it cannot be started', cause))
      })
      child.once('close', (code) => {
        if (code === 0) resolve(Buffer.concat(parts).toString('utf8'))
        else reject(failed(`it ended with ${code === null ? 'a signal' : `code ${code}`}`))
      })
    })
}

function failed(why: string, cause?: unknown): EnclaveError {
  return new EnclaveError('TEE_FAILED', `NVIDIA’s tool: ${why}`, { cause })
}
