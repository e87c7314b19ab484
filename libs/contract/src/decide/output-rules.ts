/** What opened data, the query and the record show before something is computed, leaves or is fetched. */
import {
  dataOwners,
  inputsOf,
  keysOf,
  labelOf,
  meetsQuorum,
  outputOf,
  computationOf,
  requiredGroupSize,
  witnessQuorum,
} from '../terms/questions.js'
import { mayEnd } from '../signing/lifecycle.js'
import { controlValue } from '../terms/controls.js'
import { parameterFaults } from './parameters.js'
import { forComputation, list, named, rule, sameSet, type Rule } from './rule.js'
import { objection } from './verdict.js'

export const outputRules: readonly Rule[] = [
  rule(
    'query.withinForm',
    ['accept', 'spend', 'release', 'start', 'execute'],
    ['request', 'query'],
    forComputation<'query'>((computation, { query }) => {
      if (query.fault !== null)
        return objection(
          'a query that is understood and can be controlled',
          query.fault,
          'the signatories, by an amendment',
        )
      return sameSet(query.reads, computation.over)
        ? null
        : objection(
            `a query that reads exactly ${list(computation.over)}`,
            list(query.reads),
            'the signatories, by an amendment',
          )
    }),
  ),
  rule('inputs.opened', ['execute'], ['request', 'openedInputs'], ({ request, openedInputs }, contract) =>
    request.inputs.flatMap((input) => {
      const who = named(contract, input.owner)
      const opened = openedInputs.find((own) => own.dataset === input.dataset && own.owner === input.owner)
      if (opened === undefined) return objection(`${input.dataset} of ${who} opened`, 'not opened', who)
      return [
        ...(opened.schemaMatches
          ? []
          : [objection(`${input.dataset} with the contract’s columns`, 'others', who)]),
        ...(opened.withinBounds
          ? []
          : [objection(`${input.dataset} within the contract’s bounds`, 'values outside', who)]),
        ...(opened.unitPresent ? [] : [objection(`${input.dataset} with its privacy unit`, 'none', who)]),
      ]
    }),
  ),
  rule(
    'parameters.valid',
    ['execute'],
    ['request', 'parameters'],
    forComputation<'parameters'>((computation, { parameters }) =>
      parameterFaults(computation.parameters, parameters).map((fault) =>
        objection(fault.expected, fault.seen, 'the requester, by a new request'),
      ),
    ),
  ),
  rule(
    'query.reviewed',
    ['execute'],
    ['request', 'requestQuery'],
    forComputation<'requestQuery'>((computation, { requestQuery }) =>
      computation.kind !== 'sql-aggregate' && requestQuery !== null
        ? objection('the contract’s own query', 'another in the request', 'the requester, by a new request')
        : null,
    ),
  ),
  rule(
    'group.size',
    ['execute'],
    ['request', 'groupSizes'],
    forComputation<'groupSizes'>((computation, { groupSizes }, { terms }) =>
      Object.entries(computation.outputs).flatMap(([name, output]) => {
        if (controlValue(output.controls, 'keep') !== undefined) return []
        const required = requiredGroupSize(terms, output, computation.over)
        const used = Object.hasOwn(groupSizes, name) ? (groupSizes[name] ?? 0) : 0
        return used >= required
          ? []
          : [
              objection(
                `groups of at least ${required} in ${name}`,
                String(used),
                'nobody: owners’ minimums hold',
              ),
            ]
      }),
    ),
  ),
  rule('receipt.forRun', ['publish'], ['request', 'receipt'], ({ request, receipt }, { id }) =>
    receipt.run === request.run && receipt.contract === id && receipt.computation === request.computation
      ? null
      : objection(`the Receipt of run ${request.run}`, `one of ${receipt.run}`, 'the enclave'),
  ),
  rule('receipt.recorded', ['publish', 'fetch'], ['receipt'], ({ receipt }, { terms }) => {
    const computation = computationOf(terms, receipt.computation)
    const inputs = computation === undefined ? [] : inputsOf(computation)
    const quorum = witnessQuorum(terms, dataOwners(terms, inputs))
    return meetsQuorum(quorum, receipt.cosigners)
      ? null
      : objection(
          `the Receipt in a checkpoint cosigned by ${quorum.quorum} witnesses, every data owner among them`,
          `${receipt.cosigners.length} cosignatures`,
          'the witnesses',
        )
  }),
  rule('fetch.forRun', ['fetch'], ['fetch', 'receipt'], ({ fetch, receipt }, { id }) =>
    receipt.run === fetch.run && receipt.contract === id
      ? null
      : objection(`the Receipt of run ${fetch.run}`, `one of ${receipt.run}`, 'the recipient'),
  ),
  rule('fetch.completed', ['fetch'], ['receipt'], ({ receipt }) =>
    receipt.outcome === 'completed'
      ? null
      : objection('a run that completed', receipt.outcome, 'the requester, by a new request'),
  ),
  rule('fetch.recipient', ['fetch'], ['fetch', 'receipt'], ({ fetch, receipt }, contract) => {
    const computation = computationOf(contract.terms, receipt.computation)
    const output = computation === undefined ? undefined : outputOf(computation, fetch.output)
    const recipients = output?.recipients ?? []
    const sealed = receipt.outputs.find((own) => own.name === fetch.output)?.recipients ?? []
    return keysOf(contract.terms, recipients).includes(fetch.by) && sealed.includes(fetch.by)
      ? null
      : objection(
          `one of the recipients ${list(recipients)}`,
          named(contract, fetch.by),
          'the signatories, by an amendment',
        )
  }),
  rule('withdrawal.owner', ['withdraw'], ['withdrawal'], ({ withdrawal }, contract) => {
    const { datasets } = contract.terms
    const owners = Object.hasOwn(datasets, withdrawal.dataset)
      ? (datasets[withdrawal.dataset]?.owners ?? [])
      : []
    return withdrawal.contract === contract.id &&
      owners.includes(labelOf(contract.terms, withdrawal.by) ?? '')
      ? null
      : objection(
          `an owner of the dataset under contract ${contract.id}`,
          named(contract, withdrawal.by),
          list(owners),
        )
  }),
  rule('revocation.revoker', ['revoke'], ['revocation'], ({ revocation }, contract) => {
    const { revokers } = contract.terms.governance
    const may =
      revocation.kind === 'contract'
        ? mayEnd(contract.terms, revocation.by)
        : keysOf(contract.terms, revokers).includes(revocation.by)
    return may && revocation.contract === contract.id
      ? null
      : objection(
          revocation.kind === 'contract' ? 'a revoker or data owner' : `a revoker: ${list(revokers)}`,
          named(contract, revocation.by),
          'the signatories, by an amendment',
        )
  }),
]
