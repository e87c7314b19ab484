/** The one way to a verdict on a receipt: statements verified anew, then every check of the receipt. */
import type { Agent } from '../agent.js'
import { followLog } from '../trust/log-follower.js'
import { verifyActiveContract, type VerifiedContract } from '../trust/verify-contract.js'
import { verifyReceipt, type ReceiptVerdict } from '../trust/verify-receipt.js'
import { verifyRun, type VerifiedRun } from '../trust/verify-run.js'
import type { ReceiptMaterial } from './receipt-bundle.js'

export interface JudgedReceipt {
  readonly contract: VerifiedContract
  readonly run: VerifiedRun
  readonly verdict: ReceiptVerdict
}

/** @throws whatever verification of contract or run throws: then there is nothing to judge. */
export async function judgeReceipt(agent: Agent, material: ReceiptMaterial): Promise<JudgedReceipt> {
  await followLog(agent)
  const contract = await verifyActiveContract(agent, material.contract)
  const run = await verifyRun(contract, material.run, 'history')
  return { contract, run, verdict: await verifyReceipt(agent, contract, run) }
}

/** What the coordinator shows of a run and its contract. */
export async function shownMaterial(agent: Agent, run: string): Promise<ReceiptMaterial> {
  const view = await agent.client.run(run)
  return { run: view, contract: await agent.client.contract(view.contract) }
}
