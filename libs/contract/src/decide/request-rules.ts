/** Who may ask for what, on which inputs, and who can read the request. */
import { controlName } from '../terms/controls.js'
import {
  dataOwners,
  datasetOf,
  inputsOf,
  keyOf,
  keysOf,
  labelOf,
  modelSourceOf,
  requestReaders,
} from '../terms/questions.js'
import type { ComputationTerms, ContractTerms } from '../terms/terms.js'
import { shown } from '../reading/explain-issues.js'
import type { Act, RequestFact, VersionFact } from './facts.js'
import { forComputation, list, named, rule, sameSet, type ContractRef, type Rule } from './rule.js'
import { objection, type Objection } from './verdict.js'

const onRequest: readonly Act[] = [
  'admit',
  'begin',
  'agree',
  'accept',
  'spend',
  'release',
  'start',
  'execute',
  'approve',
]
const onRun: readonly Act[] = onRequest.filter((act) => act !== 'approve')
const beforeData: readonly Act[] = onRun.filter((act) => act !== 'start' && act !== 'execute')

export const requestRules: readonly Rule[] = [
  rule('request.contract', onRequest, ['request'], ({ request }, { id }) =>
    request.contract === id
      ? null
      : objection(`a request under contract ${id}`, `one under ${request.contract}`, 'the requester'),
  ),
  rule('request.unexpired', onRequest, ['request', 'now'], ({ request, now }) =>
    Date.parse(request.expiresAt) > now
      ? null
      : objection(
          'a request that has not expired',
          `expired at ${request.expiresAt}`,
          'the requester, by a new request',
        ),
  ),
  rule('computation.known', onRequest, ['request'], ({ request }, { terms }) =>
    Object.hasOwn(terms.computations, request.computation)
      ? null
      : objection(
          `one of ${Object.keys(terms.computations).join(', ')}`,
          shown(request.computation),
          'the signatories, by an amendment',
        ),
  ),
  rule(
    'computation.supported',
    onRequest,
    ['request'],
    forComputation((computation, _facts, { terms }) => unsupported(computation, terms)),
  ),
  rule(
    'requester.entitled',
    onRequest,
    ['request'],
    forComputation((computation, { request }, contract) =>
      keysOf(contract.terms, computation.requesters).includes(request.by)
        ? null
        : objection(
            `a request by ${list(computation.requesters)}`,
            `one by ${named(contract, request.by)}`,
            'the signatories, by an amendment',
          ),
    ),
  ),
  rule(
    'inputs.complete',
    onRun,
    ['request'],
    forComputation((computation, { request }, { terms }) => inputs(computation, terms, request.inputs)),
  ),
  rule('inputs.pinned', onRun, ['request'], ({ request }, contract) =>
    request.inputs.flatMap((input) => {
      const pin = pinOf(contract, input)
      return pin === undefined || pin === input.manifest
        ? []
        : objection(
            `the version that the contract pins, ${pin}`,
            input.manifest,
            'the requester, by a new request',
          )
    }),
  ),
  rule('inputs.newest', beforeData, ['request', 'versions'], ({ request, versions }, contract) =>
    request.inputs.flatMap((input) => {
      const newest = versionOf(versions, input)?.newest ?? null
      if (newest === input.manifest || pinOf(contract, input) !== undefined) return []
      const which = `the newest version of ${named(contract, input.owner)} when the request was logged`
      return objection(
        `${which}: ${newest ?? 'none was there'}`,
        input.manifest,
        'the requester, by a new request',
      )
    }),
  ),
  rule('inputs.withdrawn', beforeData, ['request', 'versions'], ({ request, versions }, contract) =>
    request.inputs.flatMap((input) => {
      // An input of which nothing is known is refused by `inputs.newest` unless a pin names it; here it is refused anyway.
      const version = versionOf(versions, input)
      const withdrawn =
        version === undefined || version.withdrawn === 'all' || version.withdrawn.includes(input.manifest)
      return withdrawn
        ? objection(
            `data of ${input.dataset} that is not withdrawn`,
            version === undefined ? 'nothing known of it' : 'withdrawn',
            named(contract, input.owner),
          )
        : []
    }),
  ),
  rule(
    'request.readers',
    onRun,
    ['request'],
    forComputation((computation, { request }, contract) => {
      const labels = requestReaders(contract.terms, computation)
      const sealedTo = request.sealedTo.map((reader) => reader.party)
      return sameSet(sealedTo, keysOf(contract.terms, labels))
        ? null
        : objection(
            `a request sealed to exactly ${list(labels)}`,
            `sealed to ${list(sealedTo.map((key) => named(contract, key)))}`,
            'the requester, by a new request',
          )
    }),
  ),
  rule(
    'request.identities',
    beforeData,
    ['request', 'identitiesWhenRequested'],
    ({ request, identitiesWhenRequested }, contract) =>
      request.sealedTo
        .filter(
          ({ party, identity }) =>
            !Object.hasOwn(identitiesWhenRequested, party) || identitiesWhenRequested[party] !== identity,
        )
        .map(({ party }) =>
          objection(
            `the newest Identity of ${named(contract, party)}`,
            'another one',
            'the requester, by a new request',
          ),
        ),
  ),
  rule(
    'recipients.known',
    beforeData,
    ['request', 'identitiesWhenRequested'],
    forComputation<'identitiesWhenRequested'>((computation, { identitiesWhenRequested }, { terms }) =>
      [...new Set(Object.values(computation.outputs).flatMap((output) => output.recipients))]
        .filter((label) => !Object.hasOwn(identitiesWhenRequested, keyOf(terms, label) ?? ''))
        .map((label) => objection(`an Identity of the recipient ${label}`, 'none in the log', label)),
    ),
  ),
]

function inputs(
  computation: ComputationTerms,
  terms: ContractTerms,
  given: readonly { dataset: string; owner: string; manifest: string }[],
): Objection[] {
  const wanted = inputsOf(computation).flatMap((dataset) =>
    (datasetOf(terms, dataset)?.owners ?? []).map((owner) => ({ dataset, owner })),
  )
  const missing = wanted.flatMap(({ dataset, owner }) => {
    const count = given.filter(
      (input) => input.dataset === dataset && input.owner === keyOf(terms, owner),
    ).length
    return count === 1
      ? []
      : [
          objection(
            `exactly one version of ${dataset} of ${owner}`,
            String(count),
            'the requester, by a new request',
          ),
        ]
  })
  const foreign = given.filter(
    (input) =>
      !wanted.some(({ dataset, owner }) => dataset === input.dataset && keyOf(terms, owner) === input.owner),
  )
  const extra = foreign.map((input) =>
    objection(
      'only inputs that the computation reads',
      `${shown(input.dataset)} of ${labelOf(terms, input.owner) ?? input.owner}`,
      'the requester, by a new request',
    ),
  )
  return [...missing, ...extra]
}

type Input = RequestFact['inputs'][number]

function versionOf(versions: readonly VersionFact[], input: Input): VersionFact | undefined {
  return versions.find((known) => known.dataset === input.dataset && known.owner === input.owner)
}

function pinOf({ terms }: ContractRef, input: Input): string | undefined {
  const pins = datasetOf(terms, input.dataset)?.pins ?? {}
  const label = labelOf(terms, input.owner)
  return label !== undefined && Object.hasOwn(pins, label) ? pins[label] : undefined
}

const supportedControls: readonly string[] = [
  'minimumGroupSize',
  'roundTo',
  'maxRows',
  'columns',
  'uncontrolled',
]

const supportedAlgorithms: readonly string[] = ['linear-regression', 'logistic-regression']

/** What a contract may say and this version does not do yet: refused with the reason, never passed over. */
function unsupported(computation: ComputationTerms, terms: ContractTerms): Objection[] {
  const reasons: string[] = []
  if (computation.kind === 'sql-aggregate') reasons.push(`the kind ${computation.kind}`)
  if (computation.kind === 'infer' && modelSourceOf(computation).kind === 'kept')
    reasons.push(`the kept model ${computation.model}`)
  if (computation.kind === 'train' && !supportedAlgorithms.includes(computation.algorithm))
    reasons.push(`the algorithm ${computation.algorithm}`)
  for (const [name, output] of Object.entries(computation.outputs)) {
    if (output.rowsOf !== undefined && computation.kind !== 'infer')
      reasons.push(`rowsOf of the output ${name}`)
    for (const control of output.controls)
      if (!supportedControls.includes(controlName(control)))
        reasons.push(`the control ${controlName(control)} of the output ${name}`)
  }
  for (const dataset of computation.over) {
    if (datasetOf(terms, dataset)?.kind === 'model') reasons.push(`the model ${dataset} as a table`)
  }
  if (terms.runs.reuse !== 'never') reasons.push(`reuse: ${terms.runs.reuse}`)
  if (dataOwners(terms, computation.over).length === 0) reasons.push('a computation over nobody’s data')
  return reasons.map((reason) =>
    objection(
      'what this version of Sealroom supports',
      reason,
      'a later version, or the signatories, by an amendment',
    ),
  )
}
