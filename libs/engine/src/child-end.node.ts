/**
 * The child's end of the link: requests in frames on its standard input, answered one after the other on a descriptor of its own. What a
 * request means, and what may be said of a failure, is the program's.
 */
import { createReadStream, writeSync } from 'node:fs'
import { encodeFrame, FrameReader } from './frames.js'

const replyDescriptor = 3

/** Sends one reply whole. A parent that is gone ends the program. */
export function sendReply(reply: { readonly id: number }): void {
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

/** Answers requests until the parent closes the pipe. Requests are the parent's, who is trusted; their form is not checked. */
export function serveRequests(answer: (request: unknown) => Promise<void>): void {
  const reader = new FrameReader({
    maximumFrameBytes: 512_000_000,
    maximumTotalBytes: Number.MAX_SAFE_INTEGER,
  })
  let queue = Promise.resolve()
  const requests = createReadStream('', { fd: 0 })
  requests.on('data', (bytes) => {
    for (const request of reader.push(bytes as Buffer)) queue = queue.then(() => answer(request))
  })
  // A parent that is gone, or gave this child up before bubblewrap had bound it to its life, closes the pipe.
  requests.on('end', () => {
    process.exit(0)
  })
  process.on('uncaughtException', () => {
    process.exit(1)
  })
}
