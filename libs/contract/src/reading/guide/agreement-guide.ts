/** Guidance for parties, governance, log and runs of a contract. */
import { day, listOfNames, type Guidance } from './phrases.js'

const fromIdentity =
  'Copy it from what `sealroom identity show` prints on that party’s machine, after comparing fingerprints.'

/** By the pattern of a field. */
export const agreementGuide: Readonly<Record<string, Guidance>> = {
  '': ['a contract: a mapping of fields', 'Begin with `sealroom: contract/v1` and go on field by field.'],
  sealroom: ['contract/v1', 'Write `sealroom: contract/v1`.'],
  name: ['one line of at most 100 characters without hidden ones', 'Give the collaboration a short name.'],
  purpose: [
    'text of at most 2000 characters without hidden ones',
    'Say in plain words what the data may be used for.',
  ],
  valid: ['the fields from and until', 'Write `valid: { from: 2026-11-01, until: 2027-10-31 }`.'],
  'valid.from': ['a day', day],
  'valid.until': ['a day', day],
  parties: [
    'at least one party, each a label with key and roles',
    'Write `parties:` and under it a label for each party.',
  ],
  'parties.*': ['the fields key and roles', 'Write `label: { key: "<thumbprint>", roles: [data] }`.'],
  'parties.*.key': ['a thumbprint of 43 characters of base64url', fromIdentity],
  'parties.*.roles': [
    'a list of roles, no two alike',
    'Write some of data, recipient, approver, requester, auditor, model.',
  ],
  'parties.*.roles.*': [
    'data, recipient, approver, requester, auditor or model',
    'Write one of these roles.',
  ],
  governance: [
    'the fields signatories, proposalExpires and, where wanted, amend, revokers, supersedes',
    'Name who signs and until when.',
  ],
  'governance.signatories': ['a list of party labels, no two alike', listOfNames],
  'governance.signatories.*': ['a party label', 'Use a label of `parties`.'],
  'governance.proposalExpires': ['a day', day],
  'governance.amend': ['all, or { count: n }', 'Write `amend: all`.'],
  'governance.amend.count': [
    'a whole number of at least 1',
    'Write how many signatories must sign an amendment.',
  ],
  'governance.revokers': ['a list of party labels, no two alike', listOfNames],
  'governance.revokers.*': ['a party label', 'Use a label of `parties`.'],
  'governance.supersedes': [
    'the id of the contract that this one amends: 64 lower-case hexadecimal characters',
    'Copy the id from `sealroom contract show`.',
  ],
  log: [
    'the fields origin, key, coordinator, secret, witnesses, quorum, checkpoint',
    'Copy what the coordinator’s `sealroom log show` prints.',
  ],
  'log.origin': [
    'the name of the log: lower-case host and path without https://',
    'Copy the first line of the log’s checkpoint.',
  ],
  'log.key': ['the log’s public key', 'Copy it from the coordinator’s operator, out of band.'],
  'log.coordinator': [
    'a thumbprint of 43 characters of base64url',
    'Copy the coordinator’s thumbprint from its operator, out of band.',
  ],
  'log.secret': [
    '32 bytes as 43 characters of base64url',
    'Leave it out: `sealroom contract propose` makes it.',
  ],
  'log.witnesses': ['a list of party labels, no two alike', listOfNames],
  'log.witnesses.*': ['a party label', 'Use a label of `parties`.'],
  'log.quorum': ['a whole number from 1 to 100', 'Write how many witnesses must cosign a checkpoint.'],
  'log.checkpoint': [
    'the text of a checkpoint of the log',
    'Leave it out: `sealroom contract propose` takes the newest.',
  ],
  runs: ['limits of every run', 'Leave it out to take the defaults.'],
  'runs.leaseSeconds': ['a whole number from 5 to 3600', 'Leave it out to take 60.'],
  'runs.timeGridMilliseconds': ['a whole number from 1 to 60000', 'Leave it out to take 100.'],
  'runs.recordWaitSeconds': ['a whole number from 1 to 3600', 'Leave it out to take 60.'],
  'runs.maximumSeconds': ['a whole number from 1 to 604800', 'Leave it out to take 3600.'],
  'runs.failures': ['a whole number from 1 to 1000', 'Leave it out to take 5.'],
  'runs.reuse': ['never or sameContract', 'Leave it out to take never.'],
}
