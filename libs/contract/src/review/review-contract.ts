/** What a careful reader would stop at before signing. Warnings, not mistakes: the parties may want it so. */
import { controlValue } from '../terms/controls.js'
import { compareDecimals } from '../terms/quantities.js'
import { dataOwners, modelSourceOf, ownersBehind, requiredGroupSize } from '../terms/questions.js'
import type { ComputationTerms, ContractTerms, OutputTerms } from '../terms/terms.js'
import { isModelFile } from './guarantees.js'
import { reviewCloudEnclave } from './review-cloud-enclave.js'

/** The name of a warning: part of the API. */
export type FindingCode =
  | 'UNCONTROLLED_OUTPUT'
  | 'MODEL_LEAVES'
  | 'MODEL_REBUILT'
  | 'SCORES_TELL_OF_OTHERS'
  | 'SMALL_GROUPS'
  | 'SIMULATED_ENCLAVE'
  | 'UNREPRODUCIBLE_MEASUREMENT'
  | 'MULTITHREADING_ALLOWED'
  | 'PROTECTIONS_WAIVED'
  | 'OUTDATED_FIRMWARE_ALLOWED'
  | 'PAGE_EXCEPTIONS_ALLOWED'
  | 'UNMEASURED_GUEST'
  | 'SERVICE_TRUSTED'
  | 'HOST_CONSOLE'
  | 'MEMORY_CHANGEABLE'
  | 'OLD_EVIDENCE'
  | 'NO_RESEALING'
  | 'HIGH_LIMIT'
  | 'MANY_FAILURES'
  | 'HIGH_EPSILON'
  | 'ONE_WITNESS'
  | 'ONE_APPROVER'
  | 'REQUESTER_APPROVES'
  | 'NO_APPROVAL'
  | 'NO_REVOKER'
  | 'NO_AUDITOR'
  | 'NO_MINIMUM'
  | 'ENCLAVE_REUSED'
  | 'LONG_VALIDITY'
  | 'MINORITY_AMENDS'
  | 'RECIPIENT_UNSIGNED'
  | 'UNIT_NULLABLE'

/** A warning for `sealroom contract check`. */
export interface Finding {
  readonly code: FindingCode
  readonly severity: 'danger' | 'caution' | 'note'
  readonly path: string
  readonly text: string
}

/** Limits beyond which a number is unusual. */
const unusual = {
  limit: 1000,
  failures: 50,
  epsilon: '10',
  evidenceSeconds: 3600,
  days: 731,
  smallestGroup: 5,
} as const

/** What is risky in a contract, most dangerous first. */
export function reviewContract(terms: ContractTerms): readonly Finding[] {
  const findings = [
    ...reviewEnclaves(terms),
    ...Object.entries(terms.computations).flatMap(([name, computation]) =>
      reviewComputation(terms, name, computation),
    ),
    ...reviewDatasets(terms),
    ...reviewGovernance(terms),
  ]
  const rank = { danger: 0, caution: 1, note: 2 }
  return findings.sort((a, b) => rank[a.severity] - rank[b.severity])
}

function finding(severity: Finding['severity'], code: FindingCode, path: string, text: string): Finding {
  return { code, severity, path, text }
}

function reviewEnclaves(terms: ContractTerms): Finding[] {
  return terms.enclaves.flatMap((entry, i) => {
    const path = `enclaves.${i}`
    const found: Finding[] = []
    if (entry.tee === 'simulated')
      found.push(
        finding(
          'danger',
          'SIMULATED_ENCLAVE',
          path,
          'A simulated enclave protects nothing: whoever runs it can read all data. For trying out only.',
        ),
      )
    if (entry.maximumAgeSeconds > unusual.evidenceSeconds)
      found.push(
        finding(
          'caution',
          'OLD_EVIDENCE',
          path,
          `Evidence may be ${entry.maximumAgeSeconds} seconds old; a chip revoked since would not be noticed.`,
        ),
      )
    for (const measurement of entry.measurement)
      if (/^(..)\1*$/.test(measurement))
        found.push(
          finding(
            'danger',
            'UNREPRODUCIBLE_MEASUREMENT',
            path,
            `The measurement ${measurement.slice(0, 8)}… is one byte repeated; no build gives that. Copy it from a reproducible build.`,
          ),
        )
    if (entry.measurement.length > 3)
      found.push(
        finding(
          'caution',
          'UNREPRODUCIBLE_MEASUREMENT',
          path,
          `${entry.measurement.length} images are accepted; make sure that somebody can reproduce each of them.`,
        ),
      )
    if ('smt' in entry && entry.smt !== undefined)
      found.push(
        finding(
          'caution',
          'MULTITHREADING_ALLOWED',
          path,
          'Multithreading is allowed: another tenant may share a core with the enclave.',
        ),
      )
    if ('waivedProtections' in entry && entry.waivedProtections !== undefined)
      found.push(
        finding(
          'caution',
          'PROTECTIONS_WAIVED',
          path,
          `Machines may do without these protections: ${entry.waivedProtections.join(', ')}.`,
        ),
      )
    if ('tcbStatus' in entry && (entry.tcbStatus ?? []).length > 0)
      found.push(
        finding(
          'caution',
          'OUTDATED_FIRMWARE_ALLOWED',
          path,
          `Platforms that are not up to date are accepted: ${(entry.tcbStatus ?? []).join(', ')}.`,
        ),
      )
    if ('septVe' in entry && entry.septVe !== undefined)
      found.push(
        finding(
          'caution',
          'PAGE_EXCEPTIONS_ALLOWED',
          path,
          'SEPT_VE_DISABLE may be off: the host can interrupt the enclave by taking pages away.',
        ),
      )
    return [...found, ...reviewCloudEnclave(entry, path)]
  })
}

function reviewComputation(terms: ContractTerms, name: string, computation: ComputationTerms): Finding[] {
  const path = `computations.${name}`
  const found = Object.entries(computation.outputs).flatMap(([output, declared]) => [
    ...reviewOutput(terms, computation, `${path}.outputs.${output}`, declared),
    ...reviewModel(computation, output, declared, `${path}.outputs.${output}`),
    ...reviewScores(terms, computation, declared, `${path}.outputs.${output}`),
  ])
  if (computation.limit > unusual.limit)
    found.push(
      finding(
        'caution',
        'HIGH_LIMIT',
        path,
        `${computation.limit} runs: many results of the same data together tell more than each alone.`,
      ),
    )
  if (computation.failures > unusual.failures)
    found.push(
      finding(
        'caution',
        'MANY_FAILURES',
        path,
        `${computation.failures} failures are allowed; a failure may be provoked to learn something.`,
      ),
    )
  const { approvals } = computation
  if (approvals === undefined) {
    if (computation.kind === 'sql-aggregate')
      found.push(
        finding(
          'note',
          'NO_APPROVAL',
          path,
          'Nobody approves its runs, although what runs is not fixed by the contract.',
        ),
      )
    return found
  }
  const outsiders = approvals.from.filter((label) => !computation.requesters.includes(label))
  if (outsiders.length < approvals.count)
    found.push(finding('caution', 'REQUESTER_APPROVES', path, 'A requester can approve its own run.'))
  if (approvals.count === 1 && approvals.from.length > 1)
    found.push(
      finding(
        'note',
        'ONE_APPROVER',
        path,
        `One of ${approvals.from.join(', ')} is enough to approve a run.`,
      ),
    )
  return found
}

function reviewOutput(
  terms: ContractTerms,
  computation: ComputationTerms,
  path: string,
  output: OutputTerms,
): Finding[] {
  const found: Finding[] = []
  const reason = controlValue(output.controls, 'uncontrolled')
  const groups = requiredGroupSize(terms, output, computation.over)
  const noise = controlValue(output.controls, 'differentialPrivacy')
  if (reason !== undefined)
    found.push(
      finding(
        'danger',
        'UNCONTROLLED_OUTPUT',
        path,
        `It leaves as computed and may show single people. Reason given: ${reason}`,
      ),
    )
  else if (
    output.rowsOf === undefined &&
    controlValue(output.controls, 'keep') === undefined &&
    noise === undefined &&
    groups < unusual.smallestGroup
  )
    found.push(
      finding(
        groups === 1 ? 'danger' : 'caution',
        'SMALL_GROUPS',
        path,
        groups === 1
          ? 'No group size is demanded: rows may show single people.'
          : `Groups of ${groups} people are small.`,
      ),
    )
  if (noise !== undefined && compareDecimals(noise.epsilon, unusual.epsilon) > 0)
    found.push(finding('caution', 'HIGH_EPSILON', path, `ε = ${noise.epsilon} is above common practice.`))
  const unsigned = output.recipients.filter((label) => !terms.governance.signatories.includes(label))
  if (unsigned.length > 0)
    found.push(
      finding(
        'caution',
        'RECIPIENT_UNSIGNED',
        path,
        `${unsigned.join(', ')} would get it without having signed the contract.`,
      ),
    )
  return found
}

function reviewModel(
  computation: ComputationTerms,
  name: string,
  output: OutputTerms,
  path: string,
): Finding[] {
  if (!isModelFile(computation, name, output)) return []
  const text =
    'The fitted model leaves as a file: no limit counts its uses, and a group size does not bound what it tells of one person.'
  return [finding('caution', 'MODEL_LEAVES', path, text)]
}

function reviewScores(
  terms: ContractTerms,
  computation: ComputationTerms,
  { recipients, rowsOf }: OutputTerms,
  path: string,
): Finding[] {
  if (computation.kind !== 'infer' || recipients.length === 0) return []
  const found: Finding[] = []
  const owners = dataOwners(
    terms,
    [modelSourceOf(computation)].flatMap((from) => (from.kind === 'dataset' ? [from.dataset] : [])),
  )
  const others = recipients.filter((label) => !owners.includes(label))
  if (others.length > 0)
    found.push(
      finding(
        'caution',
        'MODEL_REBUILT',
        path,
        `Whoever chooses rows and sees their scores can rebuild the model: ${others.join(', ')} may see scores of ${computation.limit} runs. The limit and rounding are all that slows it.`,
      ),
    )
  const known = rowsOf === undefined ? [] : ownersBehind(terms, computation.over, rowsOf)
  if (rowsOf !== undefined && known.length > 0)
    found.push(
      finding(
        'caution',
        'SCORES_TELL_OF_OTHERS',
        path,
        `A score of a person of ${rowsOf} may tell what ${known.join(', ')} know of the same person; where it takes all of them, that there is one tells that they know the person.`,
      ),
    )
  return found
}

function reviewDatasets(terms: ContractTerms): Finding[] {
  return Object.entries(terms.datasets).flatMap(([name, dataset]) => {
    const path = `datasets.${name}`
    const found: Finding[] = []
    if (dataset.reseal === undefined)
      found.push(
        finding(
          'note',
          'NO_RESEALING',
          path,
          'It is never sealed anew: a key that is exposed once opens this version for ever.',
        ),
      )
    const without = dataset.owners.filter((owner) => !Object.hasOwn(dataset.minimums, owner))
    if (without.length > 0 && dataset.kind === 'table')
      found.push(
        finding(
          'note',
          'NO_MINIMUM',
          path,
          `${without.join(', ')} demands no group size of its own; each output’s control is all there is.`,
        ),
      )
    if (dataset.kind === 'table' && dataset.columns[dataset.unit]?.nullable === true)
      found.push(
        finding(
          'caution',
          'UNIT_NULLABLE',
          path,
          `${dataset.unit} tells people apart and may be missing; such rows count for nobody.`,
        ),
      )
    const budget = Object.hasOwn(terms.budgets, name) ? terms.budgets[name] : undefined
    if (budget !== undefined && compareDecimals(budget.epsilon, unusual.epsilon) > 0)
      found.push(
        finding(
          'caution',
          'HIGH_EPSILON',
          `budgets.${name}`,
          `ε = ${budget.epsilon} is above common practice.`,
        ),
      )
    return found
  })
}

function reviewGovernance(terms: ContractTerms): Finding[] {
  const { governance, log, parties, runs, valid } = terms
  const found: Finding[] = []
  if (log.quorum < 2)
    found.push(
      finding(
        'caution',
        'ONE_WITNESS',
        'log.quorum',
        'One witness is enough: together with the coordinator it could show others another record.',
      ),
    )
  if (governance.revokers.length === 0)
    found.push(
      finding(
        'note',
        'NO_REVOKER',
        'governance.revokers',
        'Nobody can revoke a build or chip for everybody; each agent’s own deny-list is all there is.',
      ),
    )
  if (!Object.values(parties).some((party) => party.roles.includes('auditor')))
    found.push(finding('note', 'NO_AUDITOR', 'parties', 'Nobody is named to audit.'))
  if (governance.amend !== 'all' && governance.amend.count * 2 <= governance.signatories.length)
    found.push(
      finding(
        'caution',
        'MINORITY_AMENDS',
        'governance.amend',
        `${governance.amend.count} of ${governance.signatories.length} signatories can amend; the data of ${dataOwners(terms, Object.keys(terms.datasets)).join(', ')} is used only if its owner signed too.`,
      ),
    )
  if (runs.reuse !== 'never')
    found.push(
      finding(
        'caution',
        'ENCLAVE_REUSED',
        'runs.reuse',
        'An enclave that has seen data of one run goes on to the next.',
      ),
    )
  const days = (Date.parse(valid.until) - Date.parse(valid.from)) / 86_400_000
  if (days > unusual.days)
    found.push(finding('note', 'LONG_VALIDITY', 'valid.until', `It is valid for ${Math.round(days)} days.`))
  return found
}
