import { noCollateral, vendorHardware } from '#libs/attestation'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StatementType } from '#libs/canonical'
import { startEngine, type Engine } from '#libs/engine'
import type { CoordinatorClient } from '#libs/client'
import { denialKind, type RunView } from '#libs/protocol'
import { aParty, seededBytes, type Party } from '#libs/testing'
import type { Agent } from '../../apps/agent/src/agent.js'
import { strictHouseRules } from '../../apps/agent/src/consent/house-rules.js'
import { AgentStore } from '../../apps/agent/src/store/agent-store.js'
import { spaces } from '../../apps/agent/src/store/records.js'
import { followLog } from '../../apps/agent/src/trust/log-follower.js'
import { verifyActiveContract } from '../../apps/agent/src/trust/verify-contract.js'
import { verifyReceipt, type ReceiptVerdict } from '../../apps/agent/src/trust/verify-receipt.js'
import { verifyRun } from '../../apps/agent/src/trust/verify-run.js'
import { parquetOfGroups, playEnclave, type Played } from './stage/enclave-under-attack.js'
import type { HostileLog } from './stage/hostile-log.js'
import { MemoryStore } from './stage/memory-store.js'

/** Invariant 6 from the reader's side: whoever opens a result checks itself that the record is whole, cosigned and of this run. */
let parser: Engine
let played: Played

beforeAll(async () => {
  parser = await startEngine({ limits: { threads: 1 } })
  played = await playEnclave(parser, await parquetOfGroups(), { approved: true })
})

afterAll(async () => {
  await parser.close()
})

interface Shown {
  readonly log?: HostileLog
  readonly cosigners?: readonly Party[]
  readonly view?: (view: RunView) => RunView
}

/** The verdict of the lab's own agent on what it is shown. */
async function verdictOn({
  log = played.log,
  cosigners = [played.north, played.lab],
  view,
}: Shown = {}): Promise<ReceiptVerdict> {
  const { lab, north, clock } = played
  const client = {
    checkpoint: () => log.checkpoint(cosigners),
    checkpointOf: () => log.checkpoint(cosigners),
    checkpointAt: (size: number) => log.checkpoint(cosigners, Math.min(size, log.size())),
    leaves: (from: number, to: number) => Promise.resolve(log.leaves(from, to)),
    consistency: (from: number, to: number) => Promise.resolve(log.consistency(from, to)),
  }
  const randomBytes = seededBytes('reader')
  const agent: Agent = {
    config: {
      version: 1,
      name: 'lab',
      party: lab.thumbprint,
      coordinator: 'http://127.0.0.1:1',
      log: { origin: log.origin, logKey: log.key.publicKey, coordinatorKey: log.coordinatorKey.publicKey },
    },
    keys: {
      party: lab.thumbprint,
      identity: lab.identity,
      daemonKey: lab.daemon,
      sealingKeys: [lab.sealing],
    },
    store: AgentStore.over(new MemoryStore(), new Uint8Array(32), randomBytes),
    client: client as unknown as CoordinatorClient,
    appraisal: { ...vendorHardware, collateral: noCollateral },
    houseRules: strictHouseRules,
    now: clock.now,
    randomBytes,
    report: () => undefined,
  }
  await agent.store.write(
    agent.store.put(spaces.pins, north.thumbprint, { label: 'north', pinnedAt: clock.iso() }),
  )
  await followLog(agent)
  const contract = await verifyActiveContract(agent, played.run.assignment().contract)
  const shown = view?.(played.run.view()) ?? played.run.view()
  return await verifyReceipt(agent, contract, await verifyRun(contract, shown, 'history'))
}

const without =
  (type: StatementType) =>
  (view: RunView): RunView => ({ ...view, statements: view.statements.filter((one) => one.type !== type) })

function failures({ checks }: ReceiptVerdict): readonly string[] {
  return checks.filter(({ ok }) => !ok).map(({ check }) => check)
}

describe('a receipt', () => {
  it('of an honest run holds at every point, and says that the enclave was simulated', async () => {
    const verdict = await verdictOn()
    expect(failures(verdict)).toEqual([])
    expect(verdict).toMatchObject({ ok: true, simulated: true, outcome: 'completed' })
    expect(verdict.checks.length).toBeGreaterThan(20)
  })

  const hidden: readonly [what: StatementType, check: string][] = [
    ['receipt', 'receipt'],
    ['output-keys', 'output-keys'],
    ['start', 'receipt.start'],
    ['key-release', 'receipt.releases'],
    ['spend', 'receipt.inputs.spend'],
    ['nonce', 'offer.nonces'],
    ['accept', 'accept.owners'],
    ['approval', 'approvals'],
    ['approval', 'record.whole'],
    ['accept', 'record.whole'],
  ]
  it.each(hidden)('does not hold where the %s is hidden (%s)', async (what, check) => {
    const verdict = await verdictOn({ view: without(what) })
    expect(verdict.ok).toBe(false)
    expect(failures(verdict)).toContain(check)
  })

  it('does not hold where its evidence is hidden, since its Offer is then nobody’s', async () => {
    await expect(verdictOn({ view: without('evidence') })).rejects.toMatchObject({ code: 'RUN_NOT_VERIFIED' })
  })

  it('does not hold where it is not in the log that this reader reads', async () => {
    const at = played.log.indexOf(played.said.receipt?.digest ?? '') ?? 0
    const verdict = await verdictOn({ log: played.log.fork(at) })
    expect(verdict.ok).toBe(false)
    expect(failures(verdict)).toContain('receipt.inclusion')
  })

  it.each([
    ['nobody', 0],
    ['one witness of two', 1],
  ] as const)('does not hold under a checkpoint that %s cosigned', async (_what, count) => {
    const verdict = await verdictOn({ cosigners: [played.lab, played.north].slice(0, count) })
    expect(verdict.ok).toBe(false)
    expect(failures(verdict)).toContain('checkpoint')
  })

  it('does not hold under the cosignature of a stranger in a witness’s place', async () => {
    const stranger = await aParty('stranger', { clock: played.clock })
    const forged = { ...stranger, thumbprint: played.north.thumbprint }
    const verdict = await verdictOn({ cosigners: [forged, played.lab] }).catch((error: unknown) => error)
    expect(verdict).toSatisfy((seen) => seen instanceof Error || !(seen as ReceiptVerdict).ok)
  })

  it('does not hold where the named approver denied before the start', async () => {
    const later = await playEnclave(parser, await parquetOfGroups(), {
      approved: true,
      before: async (north, { request }) => {
        const fields = { contract: request.payload.contract, run: request.id, release: null }
        const vote = { ...fields, expiresAt: north.clock.iso(3_600_000), reason: 'no' }
        return [{ type: 'denial', statement: await north.sign(denialKind, vote), signer: north.thumbprint }]
      },
    })
    // A coordinator let it run all the same, and owners that connive released; a reader sees it.
    expect(later.said.receipt).toBeDefined()
    const first = played
    played = later
    const verdict = await verdictOn().finally(() => (played = first))
    expect(failures(verdict)).toContain('denials')
  })

  it('with another outcome in it is not its enclave’s', async () => {
    const altered = (view: RunView): RunView => ({
      ...view,
      statements: view.statements.map((one) => {
        if (one.type !== 'receipt') return one
        const [header, payload = '', signature] = one.statement.split('.')
        const text = Buffer.from(payload, 'base64url').toString().replace('"completed"', '"timedOut"')
        return { ...one, statement: [header, Buffer.from(text).toString('base64url'), signature].join('.') }
      }),
    })
    await expect(verdictOn({ view: altered })).rejects.toMatchObject({ code: 'STATEMENT_SIGNATURE_INVALID' })
  })
})
