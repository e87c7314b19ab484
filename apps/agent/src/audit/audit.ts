/** The audit: what was shown is read and verified, then every rule is asked, and all that is found is told. */
import type { Digest, StatementType } from '#libs/canonical'
import { keysOf, meetsQuorum, witnessQuorum } from '#libs/contract'
import { FindingList, type Breach, type Gap } from './finding.js'
import { actsOf, type History } from './history.js'
import type { AuditAnchors, AuditMaterial } from './material.js'
import { readHistory, type Progress } from './read-history.js'
import { auditRules, audited, readingRules } from './rules/index.js'

export interface AuditReport {
  readonly contract: Digest
  readonly name: string
  /** No rule is broken. */
  readonly holds: boolean
  /** Nothing was left open: with `holds`, all that the rules say is established. */
  readonly established: boolean
  readonly breaches: readonly Breach[]
  readonly gaps: readonly Gap[]
  readonly leaves: number
  /** Entries under the pseudonyms of other contracts: their bodies are not this contract's to show. */
  readonly elsewhere: number
  /** The largest tree that the contract's own quorum cosigned, every data owner among them; 0 where there is none. */
  readonly cosignedTo: number
  readonly checkpoints: number
  readonly runs: number
  readonly rules: number
  /** Acts by kind: how many were verified, and how many more the log has that were not shown. */
  readonly acts: readonly {
    readonly type: StatementType
    readonly verified: number
    readonly hidden: number
  }[]
  readonly simulated: boolean
  /** Which hardware stood behind the runs, each kind and build once. */
  readonly hardware: readonly string[]
}

/** @throws AgentError `CONTRACT_NOT_VERIFIED` where the contract itself was not shown. */
export async function auditRecord(
  material: AuditMaterial,
  anchors: AuditAnchors,
  progress: Progress = () => undefined,
): Promise<AuditReport> {
  const findings = new FindingList()
  const history = await readHistory(material, anchors, findings, progress)
  askRules(history, findings)
  return reportOf(material.contract, history, findings)
}

/** Asks every rule about a history. */
export function askRules(history: History, findings: FindingList): void {
  const given = audited(history)
  for (const { name, findings: found } of auditRules)
    for (const finding of found(given)) findings.add(name, finding)
}

function reportOf(contract: Digest, history: History, { breaches, gaps }: FindingList): AuditReport {
  const acts = actsByKind(history)
  const shown = acts.reduce((sum, { verified, hidden }) => sum + verified + hidden, 0)
  return {
    contract,
    name: history.contracts[0]?.terms.name ?? '',
    holds: breaches.length === 0,
    established: gaps.length === 0,
    breaches,
    gaps,
    leaves: history.size,
    elsewhere: Math.max(0, history.size - shown),
    cosignedTo: cosignedTo(history),
    checkpoints: history.checkpoints.length,
    runs: history.runs.length,
    rules: auditRules.length + Object.keys(readingRules).length,
    acts,
    hardware: hardwareOf(history),
    simulated: history.runs.some(({ receipts }) => receipts.some(({ payload }) => payload.simulated)),
  }
}

// Of runs that began: what an owner accepted, by the verdict that was repeated for it.
function hardwareOf({ runs }: History): readonly string[] {
  const began = runs.filter(({ starts }) => starts.length > 0)
  const proven = began.flatMap(({ offers }) => offers.flatMap(({ appraisal }) => appraisal ?? []))
  const texts = proven
    .filter(({ failed }) => failed.length === 0)
    .map(({ kind, measurement, gpus }) =>
      [
        kind === 'simulated' ? 'SIMULATED, protects nothing' : kind,
        ...(gpus.length === 0 ? [] : [`${gpus.length} GPU${gpus.length === 1 ? '' : 's'}`]),
        `measurement ${measurement}`,
      ].join('; '),
    )
  return [...new Set(texts)].sort()
}

function actsByKind({ contracts, runs, identities }: History): AuditReport['acts'] {
  const verified = [
    ...[...identities.values()].flat(),
    ...contracts.flatMap((contract) => [
      ...contract.signatures,
      ...contract.activations,
      ...contract.manifests,
      ...contract.withdrawals,
      ...contract.revocations,
    ]),
    ...runs.flatMap(actsOf),
  ]
  const hidden = [...(contracts[0]?.hidden ?? []), ...runs.flatMap((run) => run.hidden)]
  const counts = new Map<StatementType, { verified: number; hidden: number }>()
  const count = (type: StatementType, what: 'verified' | 'hidden') => {
    const counted = counts.get(type) ?? { verified: 0, hidden: 0 }
    counted[what] += 1
    counts.set(type, counted)
  }
  for (const { type } of verified) count(type, 'verified')
  for (const { type } of hidden) count(type, 'hidden')
  return [...counts].map(([type, counted]) => ({ type, ...counted }))
}

function cosignedTo({ contracts, checkpoints }: History): number {
  const [contract] = contracts
  if (contract === undefined) return 0
  const owners = Object.values(contract.terms.datasets).flatMap((dataset) => dataset.owners)
  const quorum = {
    ...witnessQuorum(contract.terms, []),
    required: keysOf(contract.terms, [...new Set(owners)]),
  }
  return (
    checkpoints.findLast(
      ({ onTree, cosigners }) => onTree === true && meetsQuorum(quorum, [...cosigners.keys()]),
    )?.size ?? 0
  )
}
