/**
 * The program inside the sandbox: onnxruntime over descriptors and frames, nothing else. What it says about a failure is a code.
 * It is given models that were checked and encoded by the parent; it parses none of a party's own bytes.
 */
import { createReadStream, readSync, writeSync } from 'node:fs'
import { InferenceSession } from 'onnxruntime-node'
import { encodeFrame, FrameReader } from '#libs/engine/frames'
import { ChildFailure, codeOf } from './failure.js'
import type { Operation, Reply, Request } from './messages.js'
import { runBlocks } from './run-blocks.node.js'

const replyDescriptor = 3

let threads: number | undefined
const sessions: InferenceSession[] = []

async function answer(request: Request): Promise<void> {
  try {
    send({ id: request.id, value: await perform(request, request.id) })
  } catch (thrown) {
    send({ id: request.id, failure: { code: codeOf(thrown, request.op) } })
  }
}

async function perform(operation: Operation, id: number): Promise<unknown> {
  switch (operation.op) {
    case 'open':
      if (threads !== undefined) throw new ChildFailure('STATE_INVALID')
      threads = operation.threads
      return null
    case 'load': {
      if (threads === undefined) throw new ChildFailure('STATE_INVALID')
      sessions.push(await InferenceSession.create(readModel(operation.fd, operation.bytes), options(threads)))
      return sessions.length - 1
    }
    case 'run': {
      const session = sessions[operation.session]
      if (session === undefined) throw new ChildFailure('STATE_INVALID')
      return runBlocks(session, operation, (percent) => {
        send({ id, percent })
      })
    }
  }
}

function options(intraOpNumThreads: number): InferenceSession.SessionOptions {
  return {
    ...{ executionProviders: ['cpu'], executionMode: 'sequential', graphOptimizationLevel: 'all' },
    ...{ intraOpNumThreads, interOpNumThreads: 1, logSeverityLevel: 4 },
  }
}

function readModel(fd: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length;) {
    const read = readSync(fd, bytes, done, length - done, done)
    if (read === 0) throw new ChildFailure('MODEL_NOT_LOADED')
    done += read
  }
  return bytes
}

function send(reply: Reply): void {
  const frame = encodeFrame(reply)
  for (let done = 0; done < frame.length;) done += writeWaiting(frame, done)
}

// The pipe may be full while the parent reads; waiting here keeps frames whole and in order.
function writeWaiting(frame: Uint8Array, from: number): number {
  try {
    return writeSync(replyDescriptor, frame, from)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EAGAIN') process.exit(1)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    return 0
  }
}

const reader = new FrameReader({ maximumFrameBytes: 512_000_000, maximumTotalBytes: Number.MAX_SAFE_INTEGER })
let queue = Promise.resolve()
const requests = createReadStream('', { fd: 0 })
requests.on('data', (bytes) => {
  for (const request of reader.push(bytes as Buffer)) queue = queue.then(() => answer(request as Request))
})
requests.on('end', () => {
  process.exit(0)
})
process.on('uncaughtException', () => {
  process.exit(1)
})
