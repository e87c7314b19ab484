/**
 * The program inside the sandbox: onnxruntime over descriptors and frames, nothing else. What it says about a failure is a code.
 * It is given models that were checked and encoded by the parent; it parses none of a party's own bytes.
 */
import { readSync } from 'node:fs'
import { InferenceSession } from 'onnxruntime-node'
import { sendReply, serveRequests } from '#libs/engine/child-end'
import { ChildFailure, codeOf } from './failure.js'
import type { Operation, Reply, Request } from './messages.js'
import { runBlocks } from './run-blocks.node.js'

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
  sendReply(reply)
}

serveRequests((request) => answer(request as Request))
