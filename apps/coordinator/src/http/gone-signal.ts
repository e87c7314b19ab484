import type { FastifyReply } from 'fastify'

/** Aborts when the caller went away: nobody waits for an answer then. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    gone.abort()
  })
  return gone.signal
}
