/** How fast a record is audited: a made history of one contract, every signature and rule, beside the bare verification of its signatures. */
import { createPublicKey, verify } from 'node:crypto'
import { vendorHardware } from '#libs/attestation'
import { aHistory, shownRecord, type MadeHistory, type ShownRecord } from '#libs/testing'
import { auditRecord } from '../../apps/agent/src/audit/audit.js'
import type { BenchRow } from './row.js'

const runs = 1430
const aim = 3000

/** Some 20,000 entries: 14 of each run, and what was agreed before. */
export async function benchAudit(): Promise<readonly BenchRow[]> {
  const made = await aHistory({ runs })
  const shown = await shownRecord(made)
  const { log, contract, parties } = made
  const pinned = new Map(Object.values(parties).map(({ thumbprint, label }) => [thumbprint, label]))
  const material = { ...shown, contract: contract.id, coordinatorKey: log.coordinatorKey.publicKey }
  const began = process.cpuUsage()
  const report = await auditRecord(material, {
    origin: log.origin,
    logKey: log.key.publicKey,
    pinned,
    seen: [],
    hardware: vendorHardware,
  })
  const seconds = processorSeconds(began)
  if (!report.holds || !report.established) throw new Error('the made history does not hold')
  const perSecond = report.leaves / seconds
  const bare = bareVerification(made, shown)
  return [
    {
      what: `audit of ${report.leaves} entries and ${report.checkpoints} checkpoints, one core`,
      measured: `${perSecond.toFixed(0)} entries/s`,
      peer: `node:crypto Ed25519 alone ${bare.toFixed(0)} entries/s`,
      ratio: (perSecond / bare).toFixed(2),
      aim: `at least ${aim}/s`,
      met: perSecond >= aim,
    },
  ]
}

/** Time of all cores together: work that another thread does is not free. */
function processorSeconds(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1e6
}

/** Entries per second if nothing but the signatures of statements were verified, each key read once. */
function bareVerification(made: MadeHistory, { statements }: ShownRecord): number {
  const { north, south, lab, watch } = made.parties
  const keys = [north, south, lab, watch].flatMap(({ daemon, consent }) => [daemon, consent])
  const byKid = new Map(
    keys.map(({ thumbprint, publicKey }) => [
      thumbprint,
      createPublicKey({ key: { ...publicKey }, format: 'jwk' }),
    ]),
  )
  const signed = statements.flatMap(({ statement }) => {
    const at = statement.lastIndexOf('.')
    const header = JSON.parse(Buffer.from(statement.split('.')[0] ?? '', 'base64url').toString()) as {
      kid: string
    }
    const key = byKid.get(header.kid)
    if (key === undefined) return []
    return {
      key,
      bytes: Buffer.from(statement.slice(0, at)),
      signature: Buffer.from(statement.slice(at + 1), 'base64url'),
    }
  })
  const began = process.cpuUsage()
  for (const { key, bytes, signature } of signed)
    if (!verify(null, bytes, key, signature))
      throw new Error('a signature of the made history does not verify')
  return signed.length / processorSeconds(began)
}
