/**
 * How the fields of a contract must fit each other: every name refers to something that is there, whoever gets or decides
 * something has the role for it, every owner signs and witnesses. Run on drafts and on the canonical form alike.
 */
import { endOfDay } from '../terms/quantities.js'
import type { Role } from '../terms/parties.js'
import { checkComputations } from './check-computations.js'
import { checkDatasets } from './check-datasets.js'
import type { Draft } from './draft.js'
import { nearest, shown } from './explain-issues.js'
import type { Mistake } from './problem.js'
import { nameSkeleton } from '../terms/names.js'

type Path = readonly (string | number)[]

/** Collects mistakes; the questions that all checks ask. */
export class Findings {
  readonly mistakes: Mistake[] = []

  constructor(readonly draft: Draft) {}

  /**
   * `Did you mean …`, for the first mistakes only: a hostile text must not buy a comparison of everything with everything.
   */
  near(word: string, known: Iterable<string>): string | undefined {
    return this.mistakes.length < 50 ? nearest(word, [...known]) : undefined
  }

  add(path: Path, expected: string, seen: string, mend: string): void {
    this.mistakes.push({ path, expected, seen, mend })
  }

  /** A party label: given in `parties`, and, where a role is named, with that role. */
  party(path: Path, label: string, role?: Role): void {
    const { parties } = this.draft
    const party = parties.get(label)
    if (party === undefined)
      this.add(
        path,
        'a label of `parties`',
        shown(label),
        this.near(label, parties.keys()) ?? `Add ${label} to \`parties\`, or name another.`,
      )
    else if (role !== undefined && party !== null && !party.roles.includes(role))
      this.add(
        path,
        `a party with the role ${role}`,
        `${label} without it`,
        `Add ${role} to the roles of ${label}, or name another party.`,
      )
  }

  parties(path: Path, labels: readonly string[], role?: Role): void {
    labels.forEach((label, i) => {
      this.party([...path, i], label, role)
    })
  }

  /** No two names of one place may look alike. */
  names(path: Path, names: Iterable<string>): void {
    const seen = new Map<string, string>()
    for (const name of names) {
      const twin = seen.get(nameSkeleton(name))
      if (twin !== undefined)
        this.add(
          [...path, name],
          'names that cannot be taken for each other',
          `${name} beside ${twin}`,
          'Rename one.',
        )
      seen.set(nameSkeleton(name), name)
    }
  }
}

/** Every way in which parts of a contract do not fit each other. */
export function checkReferences(draft: Draft): readonly Mistake[] {
  const findings = new Findings(draft)
  checkTimes(findings)
  checkParties(findings)
  checkGovernance(findings)
  checkLog(findings)
  checkEnclaves(findings)
  checkDatasets(findings)
  checkComputations(findings)
  return findings.mistakes
}

function checkTimes(findings: Findings): void {
  const { valid, governance } = findings.draft
  if (valid === null) return
  if (valid.from > valid.until)
    findings.add(['valid', 'until'], `a day not before ${valid.from}`, valid.until, 'Write a later day.')
  if (governance !== null && endOfDay(governance.proposalExpires) >= endOfDay(valid.until))
    findings.add(
      ['governance', 'proposalExpires'],
      `a day before ${valid.until}`,
      governance.proposalExpires,
      'Let signing end before the contract does.',
    )
}

function checkParties(findings: Findings): void {
  const { parties } = findings.draft
  findings.names(['parties'], parties.keys())
  const labels = new Map<string, string>()
  for (const [label, party] of parties) {
    if (party === null) continue
    const twin = labels.get(party.key)
    if (twin !== undefined)
      findings.add(
        ['parties', label, 'key'],
        'a key that no other party has',
        `the key of ${twin}`,
        'Give each party its own key; one party may have several roles.',
      )
    labels.set(party.key, label)
  }
}

function checkGovernance(findings: Findings): void {
  const { governance } = findings.draft
  if (governance === null) return
  const { signatories } = governance
  findings.parties(['governance', 'signatories'], signatories)
  findings.parties(['governance', 'revokers'], governance.revokers)
  for (const owner of ownersOf(findings.draft))
    if (!signatories.includes(owner))
      findings.add(
        ['governance', 'signatories'],
        'every data owner',
        `no ${owner}`,
        `Add ${owner}: nobody’s data is used without its signature.`,
      )
  if (governance.amend !== 'all' && governance.amend.count > signatories.length)
    findings.add(
      ['governance', 'amend', 'count'],
      `at most ${signatories.length}, the signatories`,
      String(governance.amend.count),
      'Write a smaller number, or all.',
    )
}

function checkLog(findings: Findings): void {
  const { log } = findings.draft
  if (log === null) return
  findings.parties(['log', 'witnesses'], log.witnesses)
  for (const owner of ownersOf(findings.draft))
    if (!log.witnesses.includes(owner))
      findings.add(
        ['log', 'witnesses'],
        'every data owner',
        `no ${owner}`,
        `Add ${owner}: an owner cosigns every view in which its data is used.`,
      )
  if (log.quorum > log.witnesses.length)
    findings.add(
      ['log', 'quorum'],
      `at most ${log.witnesses.length}, the witnesses`,
      String(log.quorum),
      'Name more witnesses or write a smaller quorum.',
    )
  const [firstLine] = log.checkpoint.split('\n')
  if (log.checkpoint.includes('\n') && firstLine !== log.origin)
    findings.add(
      ['log', 'checkpoint'],
      `a checkpoint of ${log.origin}`,
      `one of ${shown(firstLine)}`,
      'Take a checkpoint of this log.',
    )
}

function checkEnclaves(findings: Findings): void {
  const { enclaves } = findings.draft
  const kinds = new Set(enclaves.flatMap((entry) => (entry === null ? [] : [entry.tee])))
  enclaves.forEach((entry, i) => {
    if (entry?.tee === 'simulated' && kinds.size > 1)
      findings.add(
        ['enclaves', i, 'tee'],
        'no simulated enclave beside real ones',
        'simulated beside another kind',
        'Remove it: a simulated enclave protects nothing.',
      )
  })
}

/** Labels of all owners of all datasets that could be read. */
export function ownersOf(draft: Draft): readonly string[] {
  return [...new Set([...draft.datasets.values()].flatMap((dataset) => dataset?.owners ?? []))]
}
