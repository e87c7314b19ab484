import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '#libs/canonical'
import { gpuEvidenceBy, gpuToolAt, type GpuTool } from './gpu-tool.js'

const nonces = [1, 2].map((byte) => new Uint8Array(32).fill(byte))

/** A machine with so many GPUs; each answers with its place and what it was asked. */
function machineWith(gpus: number): { readonly tool: GpuTool; readonly asked: string[][] } {
  const asked: string[][] = []
  const tool: GpuTool = (args) => {
    asked.push([...args])
    const evidences = Array.from({ length: gpus }, (_, place) => ({
      arch: 'HOPPER',
      nonce: args.at(-1) ?? '',
      evidence: `report of ${place} over ${args.at(-1) ?? ''}`,
      certificate: `chain of ${place}`,
    }))
    return Promise.resolve(JSON.stringify({ evidences, result_code: 0, result_message: 'Ok' }))
  }
  return { tool, asked }
}

const read = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes))

describe('evidence by NVIDIA’s tool', () => {
  it('is of each GPU over the nonce of its place', async () => {
    const { tool, asked } = machineWith(2)
    const evidence = await gpuEvidenceBy(tool, nonces)
    expect(asked).toEqual(
      nonces.map((nonce) => ['collect-evidence', '--device', 'gpu', '--nonce', toHex(nonce)]),
    )
    expect(evidence.map(read)).toEqual(
      nonces.map((nonce, place) => [
        { certificate: `chain of ${place}`, evidence: `report of ${place} over ${toHex(nonce)}` },
      ]),
    )
  })

  it.each([0, 1, 3])('is none where the machine has %i GPUs and not two', async (gpus) => {
    await expect(gpuEvidenceBy(machineWith(gpus).tool, nonces)).rejects.toMatchObject({ code: 'TEE_FAILED' })
  })

  it.each(['', 'no JSON', '{}', '[]', '{"evidences":[{"evidence":5,"certificate":""}]}'])(
    'is none where it prints %j',
    async (printed) => {
      const error = gpuEvidenceBy(() => Promise.resolve(printed), nonces)
      await expect(error).rejects.toMatchObject({ code: 'TEE_FAILED' })
    },
  )
})

describe('the tool as a child process', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealroom-gpu-tool-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const program = async (name: string, script: string): Promise<GpuTool> => {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o700 })
    return gpuToolAt(join(folder, name))
  }

  it('gets the arguments, and nothing of this process’s environment', async () => {
    const tool = await program('echo', 'echo "$@" "${HOME-no home}"')
    expect(await tool(['collect-evidence', '--nonce', '00'])).toBe('collect-evidence --nonce 00 no home\n')
  })

  it.each([
    ['fails', 'exit 3', 'code 3'],
    [
      'prints without end',
      'while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done',
      'a signal',
    ],
  ])('is refused where it %s', async (name, script, said) => {
    const tool = await program(name.replaceAll(' ', '-'), script)
    await expect(tool([])).rejects.toMatchObject({
      code: 'TEE_FAILED',
      message: expect.stringContaining(said) as unknown,
    })
  })

  it('is refused where it is not there', async () => {
    await expect(gpuToolAt(join(folder, 'absent'))([])).rejects.toMatchObject({ code: 'TEE_FAILED' })
  })
})
