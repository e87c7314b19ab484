/** Who agreed to what, before anything was done under it. */
import { CodedError, type Digest } from '#libs/canonical'
import { activate, keysOf, datasetOf, verifyAmendment } from '#libs/contract'
import { broken, type Finding } from '../finding.js'
import { actsOf, type ContractHistory, type History } from '../history.js'
import { missing, type AuditRule } from './rule.js'

export const contractRules: readonly AuditRule[] = [
  {
    name: 'contract.signed',
    says: 'every signatory signed exactly this contract, once',
    findings: ({ history }) => signed(history),
  },
  {
    name: 'contract.activated',
    says: 'one Activation by the contract’s coordinator, in time, listing exactly the signatures before it',
    findings: ({ history }) => activated(history),
  },
  {
    name: 'contract.first',
    says: 'nothing is done under a contract before its Activation',
    findings: ({ history }) => contractFirst(history),
  },
  {
    name: 'contract.amended',
    says: 'an amendment is signed as the contract before it says',
    findings: ({ history }) => amended(history),
  },
  {
    name: 'manifest.chain',
    says: 'each owner’s versions of a dataset follow each other, without gap or double',
    findings: ({ history }) => manifestChains(history),
  },
]

function* signed({ contracts }: History): Iterable<Finding> {
  for (const contract of contracts) {
    const place = { index: contract.signatures[0]?.index ?? null, type: 'contract', id: contract.id } as const
    if (contract.unsigned !== null)
      yield missing(contract, 'contract', place, 'one signature of every signatory', contract.unsigned)
  }
}

function* activated({ contracts }: History): Iterable<Finding> {
  for (const { signed, signatures, activations } of contracts) {
    for (const [at, activation] of activations.entries()) {
      if (at > 0)
        yield broken(activation, 'one Activation', `another after entry ${activations[0]?.index ?? 0}`)
      const late = signatures.find(({ index }) => index > activation.index)
      if (late !== undefined)
        yield broken(activation, 'all signatures before it', `one at entry ${late.index}`)
      const { by, contract, signatures: listed } = activation.payload
      if (signed === null) continue
      try {
        activate(signed, { by, contract, signatures: listed, recordedAt: activation.issuedAt })
      } catch (error) {
        if (!(error instanceof CodedError)) throw error
        yield broken(activation, 'an Activation of exactly this signed contract', error.message)
      }
    }
  }
}

function* contractFirst({ contracts, runs }: History): Iterable<Finding> {
  const activeFrom = new Map<Digest, number>(
    contracts.map(({ id, activations }) => [id, activations[0]?.index ?? Number.MAX_SAFE_INTEGER]),
  )
  const hidden = contracts[0]?.hidden ?? []
  const acts = [
    ...contracts.flatMap((contract) =>
      [...contract.manifests, ...contract.withdrawals].map((act) => ({ act, contract: contract.id })),
    ),
    ...runs.flatMap((run) => actsOf(run).map((act) => ({ act, contract: run.contract.id }))),
  ]
  for (const { act, contract } of acts) {
    const from = activeFrom.get(contract) ?? Number.MAX_SAFE_INTEGER
    if (act.index >= from) continue
    const seen = from === Number.MAX_SAFE_INTEGER ? 'none' : `entry ${from}`
    yield missing({ hidden }, 'activation', act, 'the Activation of its contract before it', seen)
  }
}

function* amended({ contracts }: History): Iterable<Finding> {
  for (const [at, next] of contracts.entries()) {
    const before = contracts[at + 1]
    if (before?.signed == null || next.signed === null) continue
    const place = { index: next.signatures[0]?.index ?? null, type: 'contract', id: next.id } as const
    try {
      verifyAmendment(before.signed, next.signed)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      yield broken(place, `an amendment of ${before.id}`, error.message)
    }
  }
}

function* manifestChains({ contracts, labelOf }: History): Iterable<Finding> {
  for (const contract of contracts) {
    const heads = new Map<string, { readonly id: Digest; readonly sequence: number }>()
    for (const act of contract.manifests) {
      const { by, dataset, sequence, previous } = act.payload
      if (!isOwner(contract, dataset, by)) yield broken(act, `an owner of ${dataset}`, labelOf(by))
      const head = heads.get(`${by} ${dataset}`)
      const expected = { sequence: (head?.sequence ?? 0) + 1, previous: head?.id ?? null }
      if (sequence !== expected.sequence || previous !== expected.previous)
        yield missing(
          contract,
          'manifest',
          act,
          `version ${expected.sequence} after ${expected.previous ?? 'none'}`,
          `version ${sequence} after ${previous ?? 'none'}`,
        )
      heads.set(`${by} ${dataset}`, { id: act.id, sequence })
    }
  }
}

function isOwner({ terms }: ContractHistory, dataset: string, party: string): boolean {
  return keysOf(terms, datasetOf(terms, dataset)?.owners ?? []).includes(party)
}
