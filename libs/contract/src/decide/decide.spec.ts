import { beforeAll, describe, expect, it } from 'vitest'
import { exampleSigners, signedExample, type ExampleSigners } from '../signed-example.js'
import type { SignedContract } from '../signing/verify-signatures.js'
import { decide, rules, rulesOf } from './decide.js'
import { actFacts, acts, type Act, type Facts } from './facts.js'
import { reasonsOf } from './verdict.js'

const digest = (letter: string) => letter.repeat(64)
const at = (time: string) => `2026-11-23T${time}.000Z`
type Changeable<T> = T extends readonly (infer Item)[]
  ? Changeable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Changeable<T[Key]> }
    : T
type Draft = Changeable<Facts>

let signers: ExampleSigners
let contract: SignedContract
let base: Draft

const other = 'o'.repeat(42) + 'A'

beforeAll(async () => {
  signers = await exampleSigners()
  contract = await signedExample(signers)
  base = validFacts()
})

/** Facts with which every act is permitted; the deciding owner is north. */
function validFacts(): Draft {
  const key = (party: keyof ExampleSigners) => signers[party].thumbprint
  const owners = [key('north'), key('south')]
  const parties = [...owners, key('insurer'), key('lab'), key('regulator')]
  const identities = Object.fromEntries(parties.map((party, i) => [party, digest(String(i))]))
  const inputs = owners.map((owner, i) => ({ dataset: 'stays', owner, manifest: digest('ab'[i] ?? '') }))
  return {
    now: Date.parse(at('10:00:00')),
    standing: { activatedAt: Date.parse('2026-11-20T00:00:00.000Z'), supersededBy: null, ended: null },
    request: {
      run: digest('e'),
      by: key('lab'),
      contract: contract.id,
      computation: 'readmissions_by_ward',
      inputs,
      expiresAt: at('12:00:00'),
      sealedTo: [...owners, key('regulator')].map((party) => ({ party, identity: identities[party] ?? '' })),
    },
    versions: inputs.map(({ dataset, owner, manifest }) => ({
      dataset,
      owner,
      newest: manifest,
      withdrawn: [],
    })),
    identitiesWhenRequested: { ...identities },
    usage: { runs: 19, failures: 4, failuresAllowedMore: 0 },
    approvals: [{ by: key('north'), run: digest('e'), contract: contract.id, expiresAt: at('12:00:00') }],
    denials: [],
    self: key('north'),
    consent: 'agreed',
    caughtUp: true,
    sealings: [{ dataset: 'stays', releases: 3, sealedAt: Date.parse('2026-11-21T00:00:00.000Z') }],
    offers: [
      {
        id: digest('0'),
        run: digest('e'),
        contract: contract.id,
        round: 2,
        enclave: 1,
        place: 0,
        places: 1,
        nonces: Object.fromEntries(owners.map((owner) => [owner, `nonce of ${owner}`])),
        identities: { ...identities },
        shareHolders: [],
        measurement: 'cd'.repeat(48),
        gpuEvidence: null,
        expiresAt: at('10:01:00'),
      },
    ],
    offerSet: digest('5'),
    ownRound: { round: 2, nonces: [`nonce of ${key('north')}`] },
    identities: { ...identities },
    appraisals: [
      {
        offer: digest('0'),
        kind: 'tdx',
        enclave: 1,
        measurement: 'cd'.repeat(48),
        simulated: false,
        gpus: [],
        chip: 'chip',
        validUntil: Date.parse(at('10:04:00')),
        failed: [],
      },
    ],
    revocations: [],
    simulatedAllowed: false,
    query: { reads: ['stays'], fault: null },
    accepts: owners.map((by) => ({
      by,
      run: digest('e'),
      contract: contract.id,
      round: 2,
      offers: digest('5'),
      expiresAt: at('10:01:00'),
    })),
    spendRecord: {
      spends: owners.map((owner) => ({ owner, dataset: 'stays', run: digest('e') })),
      cosigners: owners,
    },
    releasedBefore: [],
    releasing: [{ dataset: 'stays', place: 0, manifest: digest('a') }],
    releases: inputs.map((input) => ({
      by: input.owner,
      run: digest('e'),
      contract: contract.id,
      round: 2,
      place: 0,
      dataset: 'stays',
      manifest: input.manifest,
      offers: digest('5'),
      leaseUntil: at('10:01:00'),
    })),
    requestKeysEqual: true,
    executedBefore: false,
    openedInputs: inputs.map(({ dataset, owner }) => ({
      dataset,
      owner,
      schemaMatches: true,
      withinBounds: true,
      unitPresent: true,
    })),
    parameters: { from_age: 65, note: 'first' },
    requestQuery: null,
    groupSizes: { result: 10 },
    receipt: {
      run: digest('e'),
      contract: contract.id,
      computation: 'readmissions_by_ward',
      outcome: 'completed',
      outputs: [{ name: 'result', recipients: [key('lab'), key('north')] }],
      cosigners: [...owners, key('insurer')],
    },
    approver: { by: key('north'), expiresAt: at('12:00:00') },
    fetch: { by: key('lab'), run: digest('e'), output: 'result' },
    withdrawal: { by: key('south'), contract: contract.id, dataset: 'stays' },
    revocation: { by: key('north'), contract: contract.id, kind: 'build' },
  }
}

function factsOf(act: Act, facts: Draft): Partial<Facts> {
  return Object.fromEntries(actFacts[act].map((name) => [name, facts[name]]))
}

function rulesThatRefuse(act: Act, facts: Partial<Facts>, under: SignedContract = contract): string[] {
  return [...new Set(reasonsOf(decide(under, act, facts as never)).map((refusal) => refusal.rule))]
}

describe('decide', () => {
  it.each(acts)('permits a valid %s', (act) => {
    expect(decide(contract, act, factsOf(act, base) as never)).toEqual({ decision: 'permit' })
  })

  it.each(acts.flatMap((act) => actFacts[act].map((fact) => [act, fact] as const)))(
    'leaves %s undetermined without the fact %s',
    (act, fact) => {
      const facts = { ...factsOf(act, base), [fact]: undefined }
      expect(decide(contract, act, facts as never)).toEqual({ decision: 'undetermined', missing: [fact] })
    },
  )

  it('refuses although facts are missing, where one that is there refuses', () => {
    expect(rulesThatRefuse('release', { now: Date.parse('2028-01-01T00:00:00.000Z') })).toEqual([
      'contract.valid',
    ])
  })

  it('takes no notice of facts that are not the act’s', () => {
    expect(
      decide(contract, 'admit', { ...base, consent: 'declined', executedBefore: true } as never),
    ).toEqual({
      decision: 'permit',
    })
  })
})

/** Each changes one thing of the valid facts, and only the rule named refuses, in every act that has the rule. */
const mutations: readonly [rule: string, what: string, change: (facts: Draft) => void][] = [
  ['contract.active', 'no Activation', (f) => (f.standing.activatedAt = null)],
  ['contract.valid', 'a time that is no number', (f) => (f.now = NaN)],
  ['contract.superseded', 'an amendment', (f) => (f.standing.supersededBy = digest('9'))],
  [
    'contract.revoked',
    'an ending',
    (f) => (f.standing.ended = { by: signers.north.thumbprint, from: f.now }),
  ],
  ['contract.ownSignature', 'an agent that did not sign', (f) => (f.self = signers.regulator.thumbprint)],
  ['request.contract', 'another contract', (f) => (f.request.contract = digest('9'))],
  ['request.unexpired', 'an expired request', (f) => (f.request.expiresAt = at('10:00:00'))],
  ['request.unexpired', 'an expiry that is no time', (f) => (f.request.expiresAt = 'soon')],
  ['computation.known', 'an unknown computation', (f) => (f.request.computation = 'all_rows')],
  [
    'computation.known',
    'a computation named like a member of every object',
    (f) => (f.request.computation = 'constructor'),
  ],
  ['computation.supported', 'a kind that is not supported', (f) => (f.request.computation = 'explore')],
  ['computation.supported', 'training', (f) => (f.request.computation = 'risk_model')],
  ['requester.entitled', 'a requester without the right', (f) => (f.request.by = signers.south.thumbprint)],
  ['requester.entitled', 'a stranger', (f) => (f.request.by = other)],
  ['inputs.complete', 'an input left out', (f) => f.request.inputs.pop()],
  ['inputs.complete', 'an input twice', (f) => f.request.inputs.push({ ...f.request.inputs[0]! })],
  [
    'inputs.complete',
    'an input too many',
    (f) =>
      f.request.inputs.push({ dataset: 'claims', owner: signers.insurer.thumbprint, manifest: digest('c') }),
  ],
  ['inputs.newest', 'an older version', (f) => (f.versions[0]!.newest = digest('7'))],
  ['inputs.newest', 'a version of which nothing is known', (f) => (f.versions[0]!.newest = null)],
  ['inputs.withdrawn', 'a withdrawn version', (f) => (f.versions[1]!.withdrawn = [digest('b')])],
  ['inputs.withdrawn', 'a withdrawn dataset', (f) => (f.versions[0]!.withdrawn = 'all')],
  ['request.readers', 'a reader left out', (f) => f.request.sealedTo.pop()],
  [
    'request.readers',
    'a reader too many',
    (f) => f.request.sealedTo.push({ party: signers.lab.thumbprint, identity: digest('3') }),
  ],
  [
    'request.identities',
    'an older Identity of a reader',
    (f) => (f.request.sealedTo[0]!.identity = digest('8')),
  ],
  [
    'recipients.known',
    'a recipient without Identity',
    (f) => Reflect.deleteProperty(f.identitiesWhenRequested, signers.lab.thumbprint),
  ],
  ['approvals.count', 'no approval', (f) => (f.approvals = [])],
  ['approvals.count', 'an approval of somebody else', (f) => (f.approvals[0]!.by = signers.south.thumbprint)],
  ['approvals.count', 'an approval of another run', (f) => (f.approvals[0]!.run = digest('9'))],
  ['approvals.count', 'an approval under another contract', (f) => (f.approvals[0]!.contract = digest('9'))],
  ['approvals.count', 'an expired approval', (f) => (f.approvals[0]!.expiresAt = at('10:00:00'))],
  ['approvals.denied', 'a denial', (f) => (f.denials = [...f.approvals])],
  ['limit.runs', 'a spent limit', (f) => (f.usage.runs = 20)],
  ['limit.runs', 'a count that is no number', (f) => (f.usage.runs = NaN)],
  ['limit.failures', 'too many failures', (f) => (f.usage.failures = 5)],
  ['owner.consent', 'an owner that waits for a person', (f) => (f.consent = 'waiting')],
  ['owner.consent', 'an owner that declines', (f) => (f.consent = 'declined')],
  ['owner.caughtUp', 'an agent that has not read the log', (f) => (f.caughtUp = false)],
  ['reseal.due', 'data that was released too often', (f) => (f.sealings[0]!.releases = 100)],
  [
    'reseal.due',
    'data that was sealed too long ago',
    (f) => (f.sealings[0]!.sealedAt = f.now - 90 * 86_400_000),
  ],
  ['reseal.due', 'a sealing of which nothing is known', (f) => (f.sealings = [])],
  ['approver.named', 'a vote of somebody else', (f) => (f.approver.by = signers.south.thumbprint)],
  ['approver.unexpired', 'an expired vote', (f) => (f.approver.expiresAt = at('09:00:00'))],
  ['offer.forRun', 'an Offer for another run', (f) => (f.offers[0]!.run = digest('9'))],
  ['offer.forRun', 'an Offer under another contract', (f) => (f.offers[0]!.contract = digest('9'))],
  ['offer.forRun', 'several workers', (f) => (f.offers[0]!.places = 2)],
  ['offer.forRun', 'share holders', (f) => f.offers[0]!.shareHolders.push(signers.north.thumbprint)],
  [
    'offer.unexpired',
    'an expired Offer',
    (f) => {
      f.offers[0]!.expiresAt = at('10:00:00')
    },
  ],
  ['offer.nonces', 'a nonce too many', (f) => (f.offers[0]!.nonces[other] = 'x')],
  [
    'offer.ownNonce',
    'a replayed nonce',
    (f) => (f.offers[0]!.nonces[signers.north.thumbprint] = 'nonce of last week'),
  ],
  ['offer.ownNonce', 'no live nonce', (f) => (f.ownRound.nonces = [])],
  ['offer.ownNonce', 'an older round', (f) => (f.ownRound.round = 3)],
  [
    'offer.parties',
    'an Identity too many',
    (f) => {
      f.offers[0]!.identities[other] = digest('1')
      f.identities[other] = digest('1')
    },
  ],
  [
    'offer.identities',
    'an older Identity',
    (f) => (f.offers[0]!.identities[signers.lab.thumbprint] = digest('8')),
  ],
  ['enclave.listed', 'an entry that is not there', (f) => (f.offers[0]!.enclave = 2)],
  ['enclave.appraised', 'no evidence', (f) => (f.appraisals = [])],
  [
    'enclave.appraised',
    'a claim that was not met',
    (f) => f.appraisals[0]!.failed.push({ check: 'debug', expected: 'off', seen: 'on' }),
  ],
  ['enclave.appraised', 'evidence held against another entry', (f) => (f.appraisals[0]!.enclave = 0)],
  ['enclave.appraised', 'another kind of evidence', (f) => (f.appraisals[0]!.kind = 'sev-snp')],
  [
    'enclave.appraised',
    'a measurement that is not named',
    (f) => {
      f.appraisals[0]!.measurement = 'ee'.repeat(48)
      f.offers[0]!.measurement = 'ee'.repeat(48)
    },
  ],
  [
    'enclave.appraised',
    'a build that is not the one measured',
    (f) => (f.offers[0]!.measurement = 'ee'.repeat(48)),
  ],
  [
    'enclave.appraised',
    'a GPU that the contract does not name',
    (f) => (f.offers[0]!.gpuEvidence = [digest('1')]),
  ],
  ['enclave.appraised', 'evidence that is too old', (f) => (f.appraisals[0]!.validUntil = f.now - 1)],
  [
    'enclave.revoked',
    'a revoked build',
    (f) =>
      f.revocations.push({
        by: signers.north.thumbprint,
        kind: 'build',
        value: 'cd'.repeat(48),
        from: at('10:00:00'),
      }),
  ],
  [
    'enclave.revoked',
    'a revoked chip',
    (f) =>
      f.revocations.push({ by: signers.north.thumbprint, kind: 'chip', value: 'chip', from: at('09:00:00') }),
  ],
  [
    'enclave.revoked',
    'a revoked chip that somebody wrote in capitals',
    (f) =>
      f.revocations.push({ by: signers.north.thumbprint, kind: 'chip', value: 'CHIP', from: at('09:00:00') }),
  ],
  [
    'enclave.revoked',
    'a chip that is not shown, where one is revoked',
    (f) => {
      f.appraisals[0]!.chip = null
      f.revocations.push({ by: signers.north.thumbprint, kind: 'chip', value: 'any', from: at('09:00:00') })
    },
  ],
  ['simulated.allowed', 'simulated evidence', (f) => (f.appraisals[0]!.simulated = true)],
  ['accepts.complete', 'an Accept missing', (f) => f.accepts.pop()],
  ['accepts.complete', 'an Accept for other Offers', (f) => (f.accepts[1]!.offers = digest('9'))],
  ['accepts.complete', 'an Accept for another round', (f) => (f.accepts[1]!.round = 1)],
  ['accepts.complete', 'an Accept of another run', (f) => (f.accepts[1]!.run = digest('9'))],
  [
    'accepts.complete',
    'an Accept that outlives the Offer',
    (f) => (f.accepts[1]!.expiresAt = at('10:02:00')),
  ],
  ['accepts.complete', 'one owner’s Accept twice', (f) => (f.accepts[1]!.by = f.accepts[0]!.by)],
  ['spends.recorded', 'a Spend missing', (f) => f.spendRecord.spends.pop()],
  ['spends.recorded', 'a Spend of another run', (f) => (f.spendRecord.spends[0]!.run = digest('9'))],
  [
    'spends.recorded',
    'a checkpoint that one owner did not cosign',
    (f) => (f.spendRecord.cosigners = [signers.north.thumbprint, signers.insurer.thumbprint]),
  ],
  ['release.own', 'another version than the request names', (f) => (f.releasing[0]!.manifest = digest('b'))],
  ['release.own', 'nothing to release', (f) => (f.releasing = [])],
  ['release.once', 'a release before', (f) => (f.releasedBefore = [{ dataset: 'stays', place: 0 }])],
  ['releases.complete', 'a release twice', (f) => f.releases.push({ ...f.releases[0]! })],
  ['releases.complete', 'a release for other Offers', (f) => (f.releases[0]!.offers = digest('9'))],
  ['releases.complete', 'a release of another round', (f) => (f.releases[0]!.round = 1)],
  ['releases.complete', 'a release of another run', (f) => (f.releases[0]!.run = digest('9'))],
  [
    'releases.complete',
    'a release of somebody else',
    (f) => f.releases.push({ ...f.releases[0]!, by: signers.insurer.thumbprint }),
  ],
  ['lease.running', 'a lease that ended', (f) => (f.releases[1]!.leaseUntil = at('10:00:00'))],
  ['request.keysEqual', 'request keys that differ', (f) => (f.requestKeysEqual = false)],
  ['run.once', 'an instance that executed before', (f) => (f.executedBefore = true)],
  ['query.withinForm', 'a query that is not understood', (f) => (f.query.fault = 'NESTED_NOT_UNDERSTOOD')],
  ['query.withinForm', 'a query that reads more', (f) => f.query.reads.push('claims')],
  ['query.withinForm', 'a query that reads less', (f) => (f.query.reads = [])],
  ['inputs.opened', 'other columns', (f) => (f.openedInputs[0]!.schemaMatches = false)],
  ['inputs.opened', 'values outside the bounds', (f) => (f.openedInputs[0]!.withinBounds = false)],
  ['inputs.opened', 'no privacy unit', (f) => (f.openedInputs[0]!.unitPresent = false)],
  ['inputs.opened', 'an input that was not opened', (f) => f.openedInputs.pop()],
  ['parameters.valid', 'a parameter outside its bounds', (f) => (f.parameters['from_age'] = 121)],
  ['parameters.valid', 'a parameter missing', (f) => delete f.parameters['note']],
  ['parameters.valid', 'a parameter too many', (f) => (f.parameters['ward'] = 'x')],
  ['query.reviewed', 'another query in the request', (f) => (f.requestQuery = 'select 1')],
  ['group.size', 'a smaller group', (f) => (f.groupSizes['result'] = 9)],
  ['group.size', 'a group size that is not stated', (f) => (f.groupSizes = {})],
  ['receipt.forRun', 'a Receipt of another computation', (f) => (f.receipt.computation = 'explore')],
  ['receipt.recorded', 'one witness too few', (f) => f.receipt.cosigners.pop()],
  ['receipt.recorded', 'a witness counted twice', (f) => (f.receipt.cosigners[2] = f.receipt.cosigners[0]!)],
  [
    'receipt.recorded',
    'a witness that the contract does not name',
    (f) => (f.receipt.cosigners[2] = signers.lab.thumbprint),
  ],
  ['fetch.forRun', 'a Receipt of another run', (f) => (f.fetch.run = digest('9'))],
  ['fetch.completed', 'a run that failed', (f) => (f.receipt.outcome = 'timedOut')],
  ['fetch.recipient', 'another’s output', (f) => (f.fetch.by = signers.south.thumbprint)],
  ['fetch.recipient', 'an output that is not there', (f) => (f.fetch.output = 'toString')],
  ['fetch.recipient', 'an output that was not sealed to it', (f) => f.receipt.outputs[0]!.recipients.shift()],
  [
    'withdrawal.owner',
    'a withdrawal of another’s data',
    (f) => (f.withdrawal.by = signers.insurer.thumbprint),
  ],
  ['withdrawal.owner', 'a dataset that is not there', (f) => (f.withdrawal.dataset = 'toString')],
  [
    'revocation.revoker',
    'a revocation by a party that is no revoker',
    (f) => (f.revocation.by = signers.south.thumbprint),
  ],
]

/** Where one change cannot help offending a second rule too. */
const together: Readonly<Record<string, readonly string[]>> = {
  'contract.valid': rulesWithTime(),
  'contract.ownSignature': ['owner.involved', 'offer.ownNonce', 'release.own'],
  'request.unexpired': [],
  'computation.supported': [
    'inputs.complete',
    'inputs.newest',
    'query.withinForm',
    'accepts.complete',
    'spends.recorded',
    'offer.nonces',
    'parameters.valid',
    'group.size',
    'receipt.forRun',
    'approver.named',
    'limit.failures',
    'requester.entitled',
    'receipt.recorded',
    'request.readers',
    'limit.runs',
  ],
  'inputs.complete': [
    'inputs.newest',
    'inputs.withdrawn',
    'releases.complete',
    'release.own',
    'inputs.opened',
    'spends.recorded',
    'lease.running',
  ],
  'computation.known': ['receipt.forRun'],
  'offer.unexpired': ['accepts.complete'],
  'offer.ownNonce': ['accepts.complete'],
  'offer.nonces': [],
  'offer.forRun': ['releases.complete'],
  'enclave.listed': ['enclave.appraised'],
  'releases.complete': ['lease.running'],
  'fetch.recipient': [],
  'receipt.forRun': ['receipt.recorded'],
  'fetch.forRun': ['receipt.forRun'],
}

function rulesWithTime(): string[] {
  return rules.filter((rule) => rule.needs.includes('now')).map((rule) => rule.name)
}

describe('each rule', () => {
  it.each(mutations)('%s refuses %s, by its own name', (name, _what, change) => {
    const facts = structuredClone(base)
    change(facts)
    const asked = acts.filter((act) => rulesOf(act).some((rule) => rule.name === name))
    expect(asked).not.toEqual([])
    for (const act of asked) {
      const refused = rulesThatRefuse(act, factsOf(act, facts))
      expect(refused).toContain(name)
      expect(refused.filter((rule) => rule !== name && !(together[name] ?? []).includes(rule))).toEqual([])
    }
  })

  it('has a mutation of its own, but for those that have a test of their own below', () => {
    const tried = new Set([
      ...mutations.map(([name]) => name),
      'owner.involved',
      'simulated.alone',
      'inputs.pinned',
    ])
    expect(rules.map((rule) => rule.name).filter((name) => !tried.has(name))).toEqual([])
  })

  it('has a name that no other has', () => {
    expect(new Set(rules.map((rule) => rule.name)).size).toBe(rules.length)
  })

  it('tells who can change what it refuses, in bounded text', () => {
    for (const [, , change] of mutations) {
      const facts = structuredClone(base)
      change(facts)
      for (const act of acts)
        for (const refusal of reasonsOf(decide(contract, act, factsOf(act, facts) as never))) {
          expect(refusal.who).not.toBe('')
          expect(refusal.expected.length).toBeLessThanOrEqual(500)
          expect(refusal.seen.length).toBeLessThanOrEqual(500)
          expect(refusal.text.length).toBeLessThanOrEqual(1000)
        }
    }
  })

  it('never shows a parameter’s value', () => {
    const facts = structuredClone(base)
    facts.parameters = { from_age: 7_777_777, note: 'a secret' }
    const text = JSON.stringify(reasonsOf(decide(contract, 'execute', factsOf('execute', facts) as never)))
    expect(text).toContain('parameters.valid')
    expect(text).not.toContain('7777777')
    expect(text).not.toContain('a secret')
  })
})

describe('the rule owner.involved', () => {
  it('refuses an agent none of whose data the run reads', () => {
    const facts = { ...structuredClone(base), self: signers.insurer.thumbprint }
    expect(rulesThatRefuse('agree', factsOf('agree', facts))).toEqual(['owner.involved'])
  })
})

describe('a version that the contract pins', () => {
  const pin = (yaml: string) =>
    yaml.replace('    reseal:', `    pins: { north: "${digest('a')}" }\n    reseal:`)

  it('is used although a newer one was there, and no other is', async () => {
    const under = await signedExample(signers, pin)
    const facts = JSON.parse(JSON.stringify(base).replaceAll(contract.id, under.id)) as Draft
    facts.versions[0]!.newest = digest('7')
    expect(decide(under, 'accept', factsOf('accept', facts) as never)).toEqual({ decision: 'permit' })
    facts.request.inputs[0]!.manifest = digest('7')
    expect(rulesThatRefuse('accept', factsOf('accept', facts), under)).toEqual(['inputs.pinned'])
  })

  it('is refused when it is withdrawn', async () => {
    const under = await signedExample(signers, pin)
    const facts = JSON.parse(JSON.stringify(base).replaceAll(contract.id, under.id)) as Draft
    facts.versions[0]!.withdrawn = [digest('a')]
    expect(rulesThatRefuse('agree', factsOf('agree', facts), under)).toEqual(['inputs.withdrawn'])
  })
})

describe('revocations', () => {
  it('do not count when they are made by a party that is no revoker', () => {
    const facts = structuredClone(base)
    facts.revocations.push({
      by: signers.south.thumbprint,
      kind: 'chip',
      value: 'chip',
      from: at('09:00:00'),
    })
    expect(decide(contract, 'accept', factsOf('accept', facts) as never).decision).toBe('permit')
  })

  it('of the deciding agent’s own deny-list bind its own releases', () => {
    const facts = structuredClone(base)
    facts.self = signers.south.thumbprint
    facts.ownRound.nonces = [`nonce of ${facts.self}`]
    facts.revocations.push({ by: facts.self, kind: 'chip', value: 'chip', from: at('09:00:00') })
    expect(rulesThatRefuse('accept', factsOf('accept', facts))).toEqual(['enclave.revoked'])
  })
})

describe('simulated enclaves', () => {
  const simulated = `  - { tee: simulated, key: "${'z'.repeat(42)}A", measurement: ["${'ef'.repeat(32)}"], maximumAgeSeconds: 60 }\n`
  const only = (yaml: string) => yaml.replace(/ {2}- tee: sev-snp[\s\S]*?(?=datasets:)/, simulated)

  async function simulatedFacts() {
    const under = await signedExample(signers, only)
    const facts = JSON.parse(JSON.stringify(base).replaceAll(contract.id, under.id)) as Draft
    facts.offers[0]!.enclave = 0
    facts.offers[0]!.measurement = 'ef'.repeat(32)
    Object.assign(facts.appraisals[0]!, {
      kind: 'simulated',
      enclave: 0,
      simulated: true,
      measurement: 'ef'.repeat(32),
    })
    return { under, facts }
  }

  it('are accepted where the contract has no other kind and the house rules allow them', async () => {
    const { under, facts } = await simulatedFacts()
    facts.simulatedAllowed = true
    expect(decide(under, 'release', factsOf('release', facts) as never)).toEqual({ decision: 'permit' })
  })

  it('are refused where the house rules do not allow them', async () => {
    const { under, facts } = await simulatedFacts()
    expect(rulesThatRefuse('accept', factsOf('accept', facts), under)).toEqual(['simulated.allowed'])
  })

  it('are refused beside real ones, whatever the contract’s reader let pass', async () => {
    const { under, facts } = await simulatedFacts()
    const enclaves = [...under.terms.enclaves, ...contract.terms.enclaves]
    const mixed = { ...under, terms: { ...under.terms, enclaves } }
    facts.simulatedAllowed = true
    for (const act of ['accept', 'start', 'execute'] as const)
      expect(rulesThatRefuse(act, factsOf(act, facts), mixed)).toEqual(['simulated.alone'])
  })
})

describe('the facts of an act', () => {
  it.each(acts)('of %s are exactly those that its rules need', (act) => {
    const needed = new Set(rulesOf(act).flatMap((rule) => rule.needs))
    expect([...needed].sort()).toEqual([...actFacts[act]].sort())
  })

  const opened = [
    'openedInputs',
    'parameters',
    'requestQuery',
    'groupSizes',
    'requestKeysEqual',
    'executedBefore',
  ] as const

  it.each(['admit', 'begin', 'agree', 'accept', 'spend', 'release'] as const)(
    'of %s hold nothing that only opened data shows',
    (act) => {
      expect(actFacts[act].filter((fact) => (opened as readonly string[]).includes(fact))).toEqual([])
    },
  )

  it('of the coordinator’s acts hold nothing that an enclave’s evidence or an owner’s store shows', () => {
    const foreign: readonly string[] = [
      'appraisals',
      'ownRound',
      'sealings',
      'self',
      'query',
      'consent',
      'releasedBefore',
    ]
    for (const act of ['admit', 'begin', 'approve', 'fetch', 'withdraw', 'revoke'] as const)
      expect(actFacts[act].filter((fact) => foreign.includes(fact))).toEqual([])
  })
})
