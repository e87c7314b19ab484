/**
 * From what was shown to a history that rules can be asked about: leaves make the tree, Identities the keys, signatures the
 * contracts, and each body an act at its place. Everything foreign is verified here, once; whatever does not pass is named.
 */
import { statementDigest, type Digest, type PublicKey, type Thumbprint } from '#libs/canonical'
import { keysOf, labelOf, type Contract } from '#libs/contract'
import { broken, open, type FindingList } from './finding.js'
import type { ContractHistory, HiddenEntry, History } from './history.js'
import { readIdentities, type PlacedIdentities } from './identities.js'
import type { AuditAnchors, AuditMaterial } from './material.js'
import { ActReader, placeBodies, type PlacedBody } from './read-acts.js'
import { ContractsReader, readTerms } from './read-contracts.js'
import { compareOwnView, readCheckpoints, readLog, type ShownLog } from './read-log.js'
import { RunsReader } from './read-run.js'

/** Told now and then how many bodies were read. */
export type Progress = (done: number, total: number) => void

/** So many bodies are read between two words on how far it is. */
const progressEvery = 200

/** @throws AgentError `CONTRACT_NOT_VERIFIED` where the contract itself was not shown. */
export async function readHistory(
  material: AuditMaterial,
  anchors: AuditAnchors,
  findings: FindingList,
  progress: Progress,
): Promise<History> {
  const terms = readTerms(material)
  for (const contract of terms) expectAnchors(contract, anchors, findings)
  const log = readLog(material.leaves, findings)
  if (anchors.ownPlaces !== undefined) compareOwnView(log, anchors.ownPlaces, findings)
  const parties = terms.flatMap((contract) => Object.values(contract.terms.parties).map(({ key }) => key))
  const identities = await readIdentities(material.identities, parties, log, findings)
  const bodies = placeBodies(material.statements, log, findings)
  const shown = shownDigests(material, bodies)
  const reader = new ActReader({ origin: anchors.origin, log, identities, shown }, findings)
  const given = { consentKeys: consentKeysOf(identities), coordinatorKey: material.coordinatorKey }
  const contracts = await ContractsReader.begin(terms, bodies, reader, given)
  const runs = new RunsReader(reader, contracts.all, anchors.hardware)
  for (const [done, body] of bodies.entries()) {
    await contracts.read(body)
    await runs.read(body)
    if (done % progressEvery === 0) progress(done, bodies.length)
  }
  progress(bodies.length, bodies.length)
  const hidden = findHidden(log, { shown, reader, contracts: contracts.all, runs: runs.ids })
  const histories = [...contracts.all.values()].map((contract) => ({
    ...contract,
    hidden: hidden.ofContracts,
  }))
  const witnesses = witnessesOf(terms, identities)
  return {
    origin: anchors.origin,
    size: log.size,
    rootAt: log.rootAt,
    contracts: histories,
    runs: await runs.finish(hidden.ofRuns, histories),
    identities,
    checkpoints: await readCheckpoints(
      [...material.checkpoints, ...notesIn(terms)],
      log,
      anchors,
      witnesses,
      findings,
    ),
    labelOf: (party) =>
      terms.map((contract) => labelOf(contract.terms, party)).find((label) => label !== undefined) ?? party,
  }
}

function expectAnchors({ id, terms }: Contract, anchors: AuditAnchors, findings: FindingList): void {
  const place = { index: null, type: 'contract', id } as const
  const { origin, key } = terms.log
  if (origin !== anchors.origin || key !== anchors.logKey.x)
    findings.add(
      'contract.log',
      broken(place, `${anchors.origin} under ${anchors.logKey.x}`, `${origin} under ${key}`),
    )
  for (const [label, party] of Object.entries(terms.parties))
    if (!anchors.pinned.has(party.key))
      findings.add(
        'contract.pinned',
        open(place, `that ${party.key} is the key of ${label}`, 'it is not pinned here'),
      )
}

function consentKeysOf(identities: PlacedIdentities): ReadonlyMap<Thumbprint, PublicKey> {
  return new Map(
    [...identities].flatMap(([party, links]) => {
      const newest = links.at(-1)
      return newest === undefined ? [] : [[party, newest.payload.consentKey] as const]
    }),
  )
}

function shownDigests(material: AuditMaterial, bodies: readonly PlacedBody[]): ReadonlySet<Digest> {
  const identities = material.identities.flatMap(({ statements }) => statements.map(statementDigest))
  return new Set([...bodies.map(({ digest }) => digest), ...identities])
}

interface Shown {
  readonly shown: ReadonlySet<Digest>
  readonly reader: ActReader
  readonly contracts: ReadonlyMap<Digest, ContractHistory>
  readonly runs: RunsReader['ids']
}

interface Hidden {
  readonly ofContracts: readonly HiddenEntry[]
  readonly ofRuns: ReadonlyMap<Digest, readonly HiddenEntry[]>
}

/** Entries under this contract's pseudonyms whose bodies were not shown. Of other contracts' entries nothing can be told. */
function findHidden(log: ShownLog, { shown, reader, contracts, runs }: Shown): Hidden {
  const runOf = new Map(
    runs.map(({ id, contract }) => [reader.pseudonym('run', contract.terms.log.secret, id), id]),
  )
  const signers = new Set(
    [...contracts.values()].flatMap(({ terms: { parties, log } }) =>
      [...Object.values(parties).map(({ key }) => key), log.coordinator].map((key) =>
        reader.pseudonym('signer', log.secret, key),
      ),
    ),
  )
  const ofContracts: HiddenEntry[] = []
  const ofRuns = new Map<Digest, HiddenEntry[]>()
  for (const [index, leaf] of log.leaves.entries()) {
    if (leaf === null || (shown.has(leaf.digest) && !reader.unread.has(leaf.digest))) continue
    const { type, digest } = leaf
    const run = leaf.run === null ? undefined : runOf.get(leaf.run)
    if (run !== undefined) {
      const ofRun = ofRuns.get(run) ?? []
      ofRun.push({ type, index, digest })
      ofRuns.set(run, ofRun)
      continue
    }
    // An Identity names nobody in its leaf: one that is not shown may be of any party.
    if (type === 'identity' || signers.has(leaf.signer ?? '')) ofContracts.push({ type, index, digest })
  }
  return { ofContracts, ofRuns }
}

/** The checkpoints that contracts name, where they hold the signed note. */
function notesIn(contracts: readonly Contract[]): readonly string[] {
  return contracts.map(({ terms }) => terms.log.checkpoint).filter((note) => note.includes('\n\n'))
}

function witnessesOf(contracts: readonly Contract[], identities: PlacedIdentities): PlacedIdentities {
  const named = new Set(contracts.flatMap(({ terms }) => keysOf(terms, terms.log.witnesses)))
  return new Map([...identities].filter(([party]) => named.has(party)))
}
