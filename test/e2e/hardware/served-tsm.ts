/**
 * A made-up machine's configfs-tsm and GPU, served by one process to others over a socket. It behaves as the kernel's does, see `FakeTsm`, which an
 * ordinary folder cannot: files appear with their request, writing one changes another, a folder with files in it can be removed.
 */
import { createServer, type Server } from 'node:http'
import { fromHex } from '#libs/canonical'
import { FakeTsm, type FakeTsmMachine } from '#libs/testing'
import type { TsmAnswer } from '../../../apps/enclave/src/guest/tsm-files.js'

/** A machine with a GPU: what NVIDIA's tool prints where it asks with a nonce. */
export interface ServedMachine extends FakeTsmMachine {
  gpuEvidence(nonce: Uint8Array): string
}

/** Serves a machine at a path until it is closed. */
export async function serveTsm(machine: ServedMachine, socket: string): Promise<Server> {
  const files = new FakeTsm(machine)
  const server = createServer((question, response) => {
    const parts: Buffer[] = []
    question.on('data', (part: Buffer) => parts.push(part))
    question.on('end', () => {
      const [, act = '', name = '', file = ''] = (question.url ?? '').split('/')
      if (act === 'gpu') {
        response.end(machine.gpuEvidence(fromHex(name)))
        return
      }
      answer(files, act, name, file, new Uint8Array(Buffer.concat(parts))).then(
        (bytes) => response.end(bytes),
        (error: unknown) => response.writeHead(500).end(codeOf(error)),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  return server
}

async function answer(
  files: FakeTsm,
  act: string,
  name: string,
  file: string,
  body: Uint8Array,
): Promise<Uint8Array> {
  if (act === 'read') return await files.read(name, file as TsmAnswer)
  if (act === 'make') await files.makeRequest(name)
  else if (act === 'write') await files.writeQuestion(name, body)
  else if (act === 'remove') await files.removeRequest(name)
  else throw new RangeError(`nobody can ${act}`)
  return new Uint8Array()
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
}
