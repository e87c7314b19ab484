/**
 * The vTPM of an Azure confidential VM, asked by tpm2-tools, each a child process of its own. An interface, since no test has such a TPM. What comes
 * back is as good as whoever answers: the evidence is verified by those who are shown it.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { toHex } from '#libs/canonical'
import { EnclaveError } from '../errors.js'

/** The resource manager of the kernel's TPM. */
export const vtpmDevice = '/dev/tpmrm0'

/** A quote as the TPM gives it. */
export interface VtpmQuote {
  readonly message: Uint8Array
  /** RSASSA with SHA-256, without its scheme. */
  readonly signature: Uint8Array
  /** Values of the registers asked for, 32 bytes each, one after the other. */
  readonly values: Uint8Array
}

/** What evidence needs of a vTPM. */
export interface Vtpm {
  isHere(): boolean
  /** @throws EnclaveError `TEE_FAILED`. */
  readIndex(index: string): Promise<Uint8Array>
  /** A quote by the key at a handle over registers of the bank of SHA-256. @throws EnclaveError `TEE_FAILED`. */
  quote(key: string, registers: readonly number[], nonce: Uint8Array): Promise<VtpmQuote>
}

const timeoutMilliseconds = 30_000
const maximumBytes = 65_536
const run = promisify(execFile)

/** A vTPM asked by the tools of a folder. They get no environment but where the TPM is. */
export function vtpmByTools(folder = '/usr/bin', device = vtpmDevice): Vtpm {
  const tool = async (name: string, args: readonly string[]): Promise<Uint8Array> => {
    try {
      const { stdout } = await run(join(folder, name), [...args], {
        env: { TPM2TOOLS_TCTI: `device:${device}` },
        encoding: 'buffer',
        timeout: timeoutMilliseconds,
        maxBuffer: maximumBytes,
      })
      return new Uint8Array(stdout)
    } catch (cause) {
      throw new EnclaveError('TEE_FAILED', `vTPM: ${name} gives no answer; is tpm2-tools 5 installed?`, {
        cause,
      })
    }
  }
  return {
    isHere: () => existsSync(device),
    readIndex: (index) => tool('tpm2_nvread', ['-C', 'o', index]),
    quote: (key, registers, nonce) =>
      inFolder(async (path) => {
        const [message, signature, values] = [
          join(path, 'message'),
          join(path, 'signature'),
          join(path, 'values'),
        ]
        const what = ['-c', key, '-l', `sha256:${registers.join(',')}`, '-q', toHex(nonce), '-g', 'sha256']
        const into = ['-m', message, '-s', signature, '-f', 'plain', '-o', values, '-F', 'values']
        await tool('tpm2_quote', [...what, ...into])
        return { message: await read(message), signature: await read(signature), values: await read(values) }
      }),
  }
}

async function inFolder<Result>(act: (path: string) => Promise<Result>): Promise<Result> {
  const path = await mkdtemp(join(tmpdir(), 'sealroom-vtpm-'))
  try {
    return await act(path)
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (cause) {
    throw new EnclaveError('TEE_FAILED', 'vTPM: tpm2_quote left a file out', { cause })
  }
}
