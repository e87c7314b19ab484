/**
 * Whether a run's receipt proves what it says (design: section 4, step 8). Whoever reads a result or audits a run makes every
 * check itself: signatures were verified when the run was read, so here it is evidence, identities, releases, log and contract.
 */
import { fromHex, toHex, type Thumbprint } from '#libs/canonical'
import { computationOf, dataOwners, inputsOf, witnessQuorum } from '#libs/contract'
import type { Receipt } from '#libs/protocol'
import { agreeWithView, TranslogError, verifyCheckpoint, verifySignedCheckpoint } from '#libs/translog'
import type { Agent } from '../agent.js'
import { findLeaf, followLog, logView, witnessName } from './log-follower.js'
import { checkConsent, checkWhole } from './check-consent.js'
import { CheckList, type TrustCheck } from './check-list.js'
import { checkEvidence } from './check-evidence.js'
import { checkReceipt } from './check-receipt.js'
import type { VerifiedContract } from './verify-contract.js'
import type { VerifiedRun } from './verify-run.js'
import { witnessKeys } from './witness-keys.js'

/** The verdict on a receipt, with every comparison that it rests on. */
export interface ReceiptVerdict {
  readonly ok: boolean
  /** True: the enclave was simulated and nothing protected the data. */
  readonly simulated: boolean
  readonly outcome: Receipt['outcome'] | null
  /** Which hardware stood behind the run, one line for each of its Offers. */
  readonly hardware: readonly string[]
  readonly checks: readonly TrustCheck[]
}

/** Makes every check; what fails is in the list, and nothing is thrown for it. */
export async function verifyReceipt(
  agent: Agent,
  contract: VerifiedContract,
  run: VerifiedRun,
): Promise<ReceiptVerdict> {
  const list = new CheckList()
  const receipt = run.receipt?.payload ?? null
  list.check(
    'receipt',
    'one Receipt, signed by the receipt key of the Offer',
    receipt === null ? 'none' : 'as expected',
    receipt !== null,
  )
  if (run.receipt === null || receipt === null)
    return { ok: false, simulated: false, outcome: null, hardware: [], checks: list.checks }
  checkReceipt(list, contract, run, receipt)
  const hardware = await checkEvidence(list, agent.appraisal, contract, run, receipt)
  await checkIdentities(agent, list, contract, run, receipt)
  await checkRecord(agent, list, contract, run)
  await checkConsent(agent, list, contract, run)
  await checkWhole(agent, list, contract, run)
  if (receipt.outcome === 'completed') await checkOutputKeys(agent, list, run)
  return {
    ok: list.ok,
    simulated: receipt.simulated,
    outcome: receipt.outcome,
    hardware,
    checks: list.checks,
  }
}

// An older Identity of a recipient would seal a result to a key that was taken out of use.
async function checkIdentities(
  agent: Agent,
  list: CheckList,
  contract: VerifiedContract,
  run: VerifiedRun,
  receipt: Receipt,
): Promise<void> {
  for (const { offer } of run.offers) {
    const offeredAt = (await findLeaf(agent, offer.digest))?.index ?? 0
    for (const [party, identity] of Object.entries(offer.payload.identities)) {
      const newest = await newestBefore(agent, contract, party, offeredAt)
      list.check(`offer.identities: ${contract.labelOf(party)}`, newest, identity, identity === newest)
    }
    const named = receipt.outputs.flatMap(({ recipients }) => recipients)
    for (const { party, identity } of named) {
      const oneTime =
        identity === null && party === run.request.payload.by && run.request.payload.resultKey !== null
      const expected = offer.payload.identities[party] ?? 'none'
      list.check(
        `recipient ${contract.labelOf(party)}`,
        expected,
        identity ?? 'one-time key',
        oneTime || identity === expected,
      )
    }
  }
}

async function newestBefore(
  agent: Agent,
  contract: VerifiedContract,
  party: Thumbprint,
  index: number,
): Promise<string> {
  let newest = 'none'
  for (const link of contract.chains.get(party)?.links ?? [])
    if (((await findLeaf(agent, link.digest))?.index ?? Number.MAX_SAFE_INTEGER) < index) newest = link.id
  return newest
}

// Inclusion in this agent's own view of the log, and a checkpoint that the run's quorum cosigned.
async function checkRecord(
  agent: Agent,
  list: CheckList,
  contract: VerifiedContract,
  run: VerifiedRun,
): Promise<void> {
  const receipt = run.receipt
  if (receipt === null) return
  const { note } = await agent.client.checkpointOf(run.id)
  const { origin, logKey } = agent.config.log
  const computation = computationOf(contract.terms, run.request.payload.computation)
  const owners = dataOwners(contract.terms, computation === undefined ? [] : inputsOf(computation))
  const quorum = witnessQuorum(contract.terms, owners)
  const name = (party: Thumbprint) => witnessName(origin, party)
  const recordedAt = (await findLeaf(agent, receipt.digest))?.index ?? 0
  try {
    const checkpoint = await verifyCheckpoint({
      note,
      origin,
      logKey,
      witnesses: await witnessKeys(agent, contract, quorum.witnesses, note, recordedAt),
      quorum: quorum.quorum,
      required: quorum.required.map(name),
    })
    list.check(
      'checkpoint.cosignatures',
      `${quorum.quorum}, every data owner among them`,
      String(checkpoint.cosignatures.length),
      true,
    )
    await followLog(agent, checkpoint.size)
    const index = (await findLeaf(agent, receipt.digest))?.index
    const seen = index === undefined ? 'not in the log' : `entry ${index} of ${checkpoint.size}`
    list.check(
      'receipt.inclusion',
      `an entry before ${checkpoint.size}`,
      seen,
      index !== undefined && index < checkpoint.size,
    )
    await checkConsistency(agent, list, 'checkpoint.consistency', note)
  } catch (error) {
    if (!(error instanceof TranslogError)) throw error
    list.check('checkpoint', 'cosigned by the quorum of the run', error.message, false)
  }
}

async function checkOutputKeys(agent: Agent, list: CheckList, run: VerifiedRun): Promise<void> {
  const keys = run.outputKeys
  list.check(
    'output-keys',
    'signed by the receipt key of the Offer',
    keys === null ? 'none' : 'as expected',
    keys !== null,
  )
  if (keys === null) return
  list.same('output-keys.receipt', [run.receipt?.id ?? 'none'], [keys.payload.receipt])
  const { size, root } = keys.payload.checkpoint
  const { note } = await agent.client.checkpointAt(size)
  const { origin, logKey } = agent.config.log
  const named = await verifySignedCheckpoint(note, { origin, key: logKey })
  list.same('output-keys.checkpoint', [`${size} ${root}`], [`${named.size} ${toHex(named.root)}`])
  await checkConsistency(agent, list, 'output-keys.checkpoint: consistency', note)
  const index = run.receipt === null ? undefined : (await findLeaf(agent, run.receipt.digest))?.index
  list.check(
    'output-keys after the record',
    `Receipt before entry ${size}`,
    `entry ${index ?? -1}`,
    index !== undefined && index < size,
  )
}

async function checkConsistency(agent: Agent, list: CheckList, what: string, note: string): Promise<void> {
  const { origin, logKey } = agent.config.log
  const older = await verifySignedCheckpoint(note, { origin, key: logKey })
  await followLog(agent, older.size)
  const view = await logView(agent)
  const newest = view.checkpoint?.size ?? 0
  try {
    const { proof } = await agent.client.consistency(older.size, newest)
    agreeWithView(view, older, proof.map(fromHex))
    list.check(
      what,
      `on the way to this party's own view of ${newest} entries`,
      `${older.size} entries, proven`,
      true,
    )
  } catch (error) {
    if (!(error instanceof TranslogError)) throw error
    list.check(what, `on the way to this party's own view of ${newest} entries`, error.message, false)
  }
}
