/** Whether everybody whose word a run needed had given it before the enclave began, and whether nothing said of it is withheld. */
import { statementDigest, type Verified } from '#libs/canonical'
import { keysOf } from '#libs/contract'
import { runPseudonym } from '#libs/translog'
import type { Agent } from '../agent.js'
import type { CheckList } from './check-list.js'
import { findLeaf, leavesUnder } from './log-follower.js'
import type { VerifiedContract } from './verify-contract.js'
import type { VerifiedRun } from './verify-run.js'

/** Checks Accepts, Approvals and Denials against the contract, by their places in the log. */
export async function checkConsent(
  agent: Agent,
  list: CheckList,
  contract: VerifiedContract,
  run: VerifiedRun,
): Promise<void> {
  const owners = [...new Set(run.request.payload.inputs.map(({ owner }) => owner))]
  list.same(
    'accept.owners',
    owners,
    run.accepts.map(({ payload }) => payload.by),
  )
  const terms = contract.terms.computations[run.request.payload.computation]?.approvals
  if (terms === undefined) return
  const approvers = keysOf(contract.terms, terms.from)
  const before = async <P extends { by: string; expiresAt: string }>(votes: readonly Verified<P>[]) =>
    await votersBefore(agent, run, approvers, votes)
  const approved = await before(run.approvals)
  list.check(
    'approvals',
    `${terms.count} of ${terms.from.join(', ')} before the start`,
    String(approved.size),
    approved.size >= terms.count,
  )
  const denied = await before(run.denials)
  list.check('denials', 'none before the start', String(denied.size), denied.size === 0)
}

/** Approvers whose vote stood in the log when the enclave started, and had not expired. */
async function votersBefore<P extends { by: string; expiresAt: string }>(
  agent: Agent,
  run: VerifiedRun,
  approvers: readonly string[],
  votes: readonly Verified<P>[],
): Promise<ReadonlySet<string>> {
  const voters = new Set<string>()
  if (run.start === null) return voters
  const startedAt = Date.parse(run.start.payload.issuedAt)
  const start = (await findLeaf(agent, run.start.digest))?.index ?? 0
  for (const { digest, payload } of votes) {
    const index = (await findLeaf(agent, digest))?.index ?? Number.MAX_SAFE_INTEGER
    if (approvers.includes(payload.by) && index < start && Date.parse(payload.expiresAt) > startedAt)
      voters.add(payload.by)
  }
  return voters
}

/** Checks that every act of the run that the log names before its Receipt is among those shown. */
export async function checkWhole(
  agent: Agent,
  list: CheckList,
  contract: VerifiedContract,
  run: VerifiedRun,
): Promise<void> {
  const leaves = await leavesUnder(agent, 'run', runPseudonym(contract.logSecret, run.id))
  const receipt = leaves.findIndex(({ digest }) => digest === run.receipt?.digest)
  const shown = new Set(run.view.statements.map(({ statement }) => statementDigest(statement)))
  // What came after the Receipt, like a Fetch, may be newer than a receipt that was exported.
  const hidden = leaves
    .slice(0, receipt === -1 ? leaves.length : receipt)
    .filter(({ digest }) => !shown.has(digest))
  list.check(
    'record.whole',
    'every act that the log names before the Receipt',
    hidden.length === 0 ? 'as expected' : `without ${hidden.map(({ type }) => type).join(', ')}`,
    hidden.length === 0,
  )
}
