import { signStatement, toBase64url } from '#libs/canonical'
import { nonceKind } from '#libs/protocol'
import { newStatement } from '../trust/new-statement.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import type { VerifiedRun } from '../trust/verify-run.js'
import type { Acting, Waiting } from './act-on-run.js'
import { sendOnce } from './send-once.js'

/** Signs the nonce of a round, once; the round before it is then dead for this agent. */
export async function signNonce(
  { agent, liveRounds }: Acting,
  contract: VerifiedContract,
  run: VerifiedRun,
): Promise<Waiting> {
  const live = liveRounds.get(run.id)
  if (live !== undefined && live.round >= run.round) {
    if (live.round === run.round) await sendOnce(agent, run.view, live.statement)
    return null
  }
  const nonce = toBase64url(agent.randomBytes(32))
  const { jws } = await signStatement(
    nonceKind,
    {
      ...newStatement(agent, 'nonce'),
      contract: contract.id,
      run: run.id,
      round: run.round,
      place: 0,
      nonce,
    },
    agent.keys.daemonKey,
  )
  liveRounds.set(run.id, { round: run.round, nonce, statement: jws })
  await agent.client.record(jws)
  return null
}
