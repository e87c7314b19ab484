/** Of every field of a contract: what is expected there, and how a person mends it. A test holds it complete. */
import { nameRule } from '../terms/names.js'

/** What stands in a field, and what to do where it does not. */
export interface FieldGuide {
  readonly expected: string
  readonly mend: string
}

const day = 'Write it like 2026-11-01.'
const instant = 'Write it like 2026-11-01T09:30:00.000Z.'
const fromIdentity =
  'Copy it from what `sealroom identity show` prints on that party’s machine, after comparing fingerprints.'
const fromBuild = 'Copy it from the output of the reproducible build of the enclave image.'
const listOfNames = 'Write a list of names, like [north, south].'
const svn = ['a whole number from 0 to 255', 'Copy it from the firmware that you require at least.'] as const
const hex96 = 'a list of 96 lower-case hexadecimal characters each, no two alike'
const decimal = 'a decimal number'

const guide: Readonly<Record<string, readonly [expected: string, mend: string]>> = {
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
  enclaves: [
    'a list of 1 to 50 accepted kinds of enclave',
    'Write at least one entry that begins with `- tee:`.',
  ],
  'enclaves.*': ['an entry with the field tee', 'Write `- tee: sev-snp` and its fields.'],
  'enclaves.*.tee': ['simulated, sev-snp, tdx or nitro', 'Write one of these kinds.'],
  'enclaves.*.key': [
    'a thumbprint of 43 characters of base64url',
    'Copy the thumbprint of the simulator’s key.',
  ],
  'enclaves.*.measurement': [
    'a list of at least one measurement in lower-case hexadecimal, no two alike: 64 characters each for simulated, 96 for others',
    fromBuild,
  ],
  'enclaves.*.measurement.*': [
    'a measurement in lower-case hexadecimal: 64 characters for simulated, 96 for others',
    fromBuild,
  ],
  'enclaves.*.maximumAgeSeconds': [
    'a whole number from 1 to 86400',
    'Write how old evidence may be, like 300.',
  ],
  'enclaves.*.generations': [
    'a list of chip generations, no two alike',
    'Write those whose machines you accept: some of milan, genoa, turin. What is known of attacks differs between them.',
  ],
  'enclaves.*.generations.*': ['milan, genoa or turin', 'Write one of these generations.'],
  'enclaves.*.providers': [
    'a list of provider names as in the VLEK, no two alike',
    'Write names like CN=cc-us-east-2.amazonaws.com.',
  ],
  'enclaves.*.providers.*': ['a provider name', 'Write a name like CN=cc-us-east-2.amazonaws.com.'],
  'enclaves.*.hostData': [
    'a list of 64 lower-case hexadecimal characters each, no two alike',
    'Copy the digest of the init data.',
  ],
  'enclaves.*.hostData.*': ['64 lower-case hexadecimal characters', 'Copy the digest of the init data.'],
  'enclaves.*.idKeyDigest': [hex96, fromBuild],
  'enclaves.*.idKeyDigest.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.minimumTcb': [
    'the lowest firmware accepted: { bootloader, tee, snp, microcode } for sev-snp, { evaluationDataNumber } for tdx',
    'Copy it from the firmware that you require at least.',
  ],
  'enclaves.*.minimumTcb.evaluationDataNumber': [
    'a whole number from 1 to 1000000',
    'Copy it from Intel’s TCB information.',
  ],
  'enclaves.*.minimumTcb.*': svn,
  'enclaves.*.chips': [
    'a list of chip ids of 128 lower-case hexadecimal characters, no two alike',
    'Copy them from evidence that you trust.',
  ],
  'enclaves.*.chips.*': [
    'a chip id of 128 lower-case hexadecimal characters',
    'Copy it from evidence that you trust.',
  ],
  'enclaves.*.refusedChips': [
    'a list of chip ids of 128 lower-case hexadecimal characters, no two alike',
    'Leave it out to refuse no chip by its id.',
  ],
  'enclaves.*.refusedChips.*': [
    'a chip id of 128 lower-case hexadecimal characters',
    'Copy it from the evidence of the chip that you no longer trust.',
  ],
  'enclaves.*.familyId': ['a list of 32 lower-case hexadecimal characters each, no two alike', fromBuild],
  'enclaves.*.familyId.*': ['32 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.imageId': ['a list of 32 lower-case hexadecimal characters each, no two alike', fromBuild],
  'enclaves.*.imageId.*': ['32 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.authorKeyDigest': [hex96, fromBuild],
  'enclaves.*.authorKeyDigest.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.vmpl': ['a list of privilege levels, no two alike', 'Leave it out to accept VMPL 0 only.'],
  'enclaves.*.vmpl.*': ['a whole number from 0 to 3', 'Write the level at which the worker runs.'],
  'enclaves.*.minimumGuestSvn': [
    'a whole number from 0 to 4294967295',
    'Write the lowest GUEST_SVN that you accept, or leave it out.',
  ],
  'enclaves.*.cxl': ['allowed', 'Leave it out to demand that the guest has no memory on CXL devices.'],
  'enclaves.*.waivedProtections': [
    'a list of protections that may be off, no two alike',
    'Leave it out to demand each of them.',
  ],
  'enclaves.*.waivedProtections.*': [
    'singleSocket, aes256Xts, raplDisabled, ciphertextHiding, pageSwapDisabled or aliasCheck',
    'Write one of these protections.',
  ],
  'enclaves.*.role': [hex96, 'Copy PCR3 from evidence that you trust.'],
  'enclaves.*.role.*': ['96 lower-case hexadecimal characters', 'Copy PCR3 from evidence that you trust.'],
  'enclaves.*.instance': [hex96, 'Copy PCR4 from evidence that you trust.'],
  'enclaves.*.instance.*': [
    '96 lower-case hexadecimal characters',
    'Copy PCR4 from evidence that you trust.',
  ],
  'enclaves.*.signer': [hex96, fromBuild],
  'enclaves.*.signer.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.smt': ['allowed', 'Leave it out to demand that multithreading is off.'],
  'enclaves.*.gpu.devices': ['a whole number from 1 to 64', 'Leave it out for exactly one GPU.'],
  'enclaves.*.mrConfigId': [hex96, fromBuild],
  'enclaves.*.mrConfigId.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.mrOwner': [hex96, fromBuild],
  'enclaves.*.mrOwner.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.mrOwnerConfig': [hex96, fromBuild],
  'enclaves.*.mrOwnerConfig.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.tcbStatus': ['a list of TCB statuses, no two alike', 'Leave it out to accept UpToDate only.'],
  'enclaves.*.tcbStatus.*': [
    'SWHardeningNeeded, ConfigurationNeeded, ConfigurationAndSWHardeningNeeded, OutOfDate or OutOfDateConfigurationNeeded',
    'Write one of these statuses.',
  ],
  'enclaves.*.fmspc': [
    'a list of platform families of 12 lower-case hexadecimal characters, no two alike',
    'Copy them from Intel’s TCB information.',
  ],
  'enclaves.*.fmspc.*': [
    'a platform family of 12 lower-case hexadecimal characters',
    'Copy it from Intel’s TCB information.',
  ],
  'enclaves.*.mrSeam': [
    'a list of 96 lower-case hexadecimal characters each, no two alike',
    'Leave it out to accept every TDX module that Intel calls up to date.',
  ],
  'enclaves.*.mrSeam.*': [
    '96 lower-case hexadecimal characters',
    'Copy MRSEAM from evidence that you trust.',
  ],
  'enclaves.*.septVe': ['enabled', 'Leave it out to demand SEPT_VE_DISABLE.'],
  'enclaves.*.gpu': [
    'the fields model, driver, vbios',
    'Write `gpu: { model: hopper, driver: ["550.90.07"], vbios: ["96.00.74.00.1A"] }`.',
  ],
  'enclaves.*.gpu.model': ['hopper or blackwell', 'Write one of these models.'],
  'enclaves.*.gpu.driver': [
    'a list of driver versions, no two alike',
    'Write versions in quotes, like ["550.90.07"].',
  ],
  'enclaves.*.gpu.driver.*': ['a driver version', 'Write it in quotes, like "550.90.07".'],
  'enclaves.*.gpu.vbios': [
    'a list of VBIOS versions, no two alike',
    'Write versions in quotes, like ["96.00.74.00.1A"].',
  ],
  'enclaves.*.gpu.vbios.*': ['a VBIOS version', 'Write it in quotes, like "96.00.74.00.1A".'],
  'enclaves.*.rtmr0': [hex96, fromBuild],
  'enclaves.*.rtmr0.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.rtmr1': [hex96, fromBuild],
  'enclaves.*.rtmr1.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.rtmr2': [hex96, fromBuild],
  'enclaves.*.rtmr2.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.rtmr3': [hex96, fromBuild],
  'enclaves.*.rtmr3.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.advisories': ['a list of advisories, no two alike', 'Write ids like INTEL-SA-00837.'],
  'enclaves.*.advisories.*': ['an advisory id', 'Write an id like INTEL-SA-00837.'],
  runs: ['limits of every run', 'Leave it out to take the defaults.'],
  'runs.leaseSeconds': ['a whole number from 5 to 3600', 'Leave it out to take 60.'],
  'runs.timeGridMilliseconds': ['a whole number from 1 to 60000', 'Leave it out to take 100.'],
  'runs.recordWaitSeconds': ['a whole number from 1 to 3600', 'Leave it out to take 60.'],
  'runs.maximumSeconds': ['a whole number from 1 to 604800', 'Leave it out to take 3600.'],
  'runs.failures': ['a whole number from 1 to 1000', 'Leave it out to take 5.'],
  'runs.reuse': ['never or sameContract', 'Leave it out to take never.'],
  datasets: ['at least one dataset', 'Write `datasets:` and under it a name for each.'],
  'datasets.*': [
    'a dataset with owners, unit and columns',
    'Name its owners, the column of the privacy unit, and every column.',
  ],
  'datasets.*.kind': ['table or model', 'Leave it out for a table.'],
  'datasets.*.owners': ['a list of party labels, no two alike', listOfNames],
  'datasets.*.owners.*': ['a party label', 'Use a label of `parties`.'],
  'datasets.*.minimums': [
    'owner labels, each with { minimumGroupSize: n }',
    'Write `minimums: { north: { minimumGroupSize: 10 } }`.',
  ],
  'datasets.*.minimums.*': ['{ minimumGroupSize: n }', 'Write `{ minimumGroupSize: 10 }`.'],
  'datasets.*.minimums.*.minimumGroupSize': [
    'a whole number of at least 1',
    'Write how many people each result row must rest on.',
  ],
  'datasets.*.reseal': [
    'afterReleases, afterDays or both',
    'Write `reseal: { afterReleases: 100, afterDays: 90 }`.',
  ],
  'datasets.*.reseal.afterReleases': [
    'a whole number of at least 1',
    'Write after how many releases the data is sealed anew.',
  ],
  'datasets.*.reseal.afterDays': [
    'a whole number of at least 1',
    'Write after how many days the data is sealed anew.',
  ],
  'datasets.*.pins': [
    'owner labels, each with the id of a manifest',
    'Leave it out to let every run take the newest version.',
  ],
  'datasets.*.pins.*': [
    'the id of a manifest: 64 lower-case hexadecimal characters',
    'Copy it from `sealroom data list`.',
  ],
  'datasets.*.unit': [
    'the name of the column that tells people apart',
    'Write the name of one of the columns.',
  ],
  'datasets.*.format': ['onnx', 'Write `format: onnx`.'],
  'datasets.*.columns': ['at least one column', 'Write every column of the sealed table with its type.'],
  'datasets.*.columns.*': [
    'a column with its type',
    'Write `name: { type: int, min: 0, max: 120, use: [avg] }`.',
  ],
  'datasets.*.columns.*.type': ['string, int, double, bool, date or timestamp', 'Write one of these types.'],
  'datasets.*.columns.*.nullable': ['true or false', 'Write true where a value may be missing.'],
  'datasets.*.columns.*.use': [
    'a list of uses, no two alike',
    'Write some of join, dimension, filter, count, sum, avg, stddev, variance, quantile; [] means never.',
  ],
  'datasets.*.columns.*.use.*': [
    'join, dimension, filter, count, sum, avg, stddev, variance or quantile',
    'Write one of these uses.',
  ],
  'datasets.*.columns.*.min': [
    'a bound of the column’s type',
    'Whole numbers for int, decimals for double, days for date, instants for timestamp.',
  ],
  'datasets.*.columns.*.max': [
    'a bound of the column’s type',
    'Whole numbers for int, decimals for double, days for date, instants for timestamp.',
  ],
  'datasets.*.segments': [
    'segment names, each with a list of columns',
    'Leave it out to seal each column by itself.',
  ],
  'datasets.*.segments.*': ['a list of columns, no two alike', 'Write a list of column names.'],
  'datasets.*.segments.*.*': ['the name of a column', 'Use a name of `columns`.'],
  computations: ['at least one computation', 'Write `computations:` and under it a name for each.'],
  'computations.*': [
    'a computation with kind, requesters, limit and outputs',
    'Say what runs, who may ask, how often, and what leaves to whom.',
  ],
  'computations.*.kind': ['sql, sql-aggregate, train or infer', 'Write one of these kinds.'],
  'computations.*.query': ['the text of the query, at most 20000 characters', 'Write the reviewed query.'],
  'computations.*.algorithm': [
    'linear-regression, logistic-regression, gradient-boosting, mlp or k-means',
    'Write one of these algorithms.',
  ],
  'computations.*.target': ['the name of a column of the query', 'Use a name that the query gives.'],
  'computations.*.features': [
    'a list of columns of the query, no two alike',
    'Write a list of names that the query gives.',
  ],
  'computations.*.features.*': ['the name of a column of the query', 'Use a name that the query gives.'],
  'computations.*.preprocessing': [
    'features, each with what is done to it',
    'Leave it out to scale numbers.',
  ],
  'computations.*.preprocessing.*': [
    'some of oneHot, scale, impute',
    'Write like `bmi: { impute: mean, scale: standard }`.',
  ],
  'computations.*.preprocessing.*.oneHot': [
    'a list of texts of at most 200 characters, no two alike',
    'Write every text that has a column of its own.',
  ],
  'computations.*.preprocessing.*.oneHot.*': ['one line of at most 200 characters', 'Write it in quotes.'],
  'computations.*.preprocessing.*.scale': ['standard or none', 'Leave it out to take standard.'],
  'computations.*.preprocessing.*.impute': [
    'mean, or a decimal number',
    'Leave it out to learn from complete rows only.',
  ],
  'computations.*.l2': [`${decimal} of at least 0`, 'Leave it out to take "1".'],
  'computations.*.split': [
    'the fields test and seed',
    'Write `split: { test: "0.25", seed: "some words" }`, or leave it out.',
  ],
  'computations.*.split.test': [`${decimal} above 0 and below 1`, 'Write the part held out, like "0.25".'],
  'computations.*.split.seed': ['one line of at most 100 characters', 'Write some words.'],
  'computations.*.model': [
    'a dataset of kind model, or computation.output of a kept model',
    'Write like risk_model.model.',
  ],
  'computations.*.over': [
    'a list of datasets, no two alike',
    'Write the names of the datasets that it reads.',
  ],
  'computations.*.over.*': ['the name of a dataset', 'Use a name of `datasets`.'],
  'computations.*.requesters': ['a list of party labels, no two alike', listOfNames],
  'computations.*.requesters.*': ['a party label', 'Use a label of `parties`.'],
  'computations.*.limit': ['a whole number of at least 1', 'Write how many runs there may be in all.'],
  'computations.*.failures': ['a whole number from 1 to 1000', 'Leave it out to take `runs.failures`.'],
  'computations.*.approvals': [
    'the fields from and count',
    'Write `approvals: { from: [north], count: 1 }`.',
  ],
  'computations.*.approvals.from': ['a list of party labels, no two alike', listOfNames],
  'computations.*.approvals.from.*': ['a party label', 'Use a label of `parties`.'],
  'computations.*.approvals.count': [
    'a whole number of at least 1',
    'Write how many of them must approve each run.',
  ],
  'computations.*.parameters': [
    'parameter names, each with a type and bounds',
    'Write `parameters: { year: { type: int, min: 2000, max: 2030 } }`.',
  ],
  'computations.*.parameters.*': [
    'a parameter with a type and bounds: min and max or oneOf for int, maxLength or oneOf for string',
    'Write `{ type: int, min: 2000, max: 2030 }`.',
  ],
  'computations.*.parameters.*.type': [
    'string, int, double, bool, date or timestamp',
    'Write one of these types.',
  ],
  'computations.*.parameters.*.min': [
    'a bound of the parameter’s type',
    `Whole numbers for int, decimals for double, for others: ${day} ${instant}`,
  ],
  'computations.*.parameters.*.max': [
    'a bound of the parameter’s type',
    `Whole numbers for int, decimals for double, for others: ${day} ${instant}`,
  ],
  'computations.*.parameters.*.maxLength': [
    'a whole number from 1 to 1000',
    'Write how many characters the text may have.',
  ],
  'computations.*.parameters.*.oneOf': [
    'a list of allowed values of the parameter’s type, no two alike',
    'Write every value that may be given.',
  ],
  'computations.*.parameters.*.oneOf.*': [
    'a value of the parameter’s type',
    'Write text of one line for string, a whole number for int.',
  ],
  'computations.*.outputs': [
    'at least one output',
    'Write `outputs: { result: { recipients: […], controls: […] } }`.',
  ],
  'computations.*.outputs.*': [
    'the fields recipients and controls',
    'Say who gets it, and which controls it passes first.',
  ],
  'computations.*.outputs.*.recipients': ['a list of party labels, no two alike', listOfNames],
  'computations.*.outputs.*.recipients.*': ['a party label', 'Use a label of `parties`.'],
  'computations.*.outputs.*.rowsOf': ['a party label', 'Name the owner whose rows the recipient sees.'],
  'computations.*.outputs.*.controls': [
    'a list of at least one control',
    'Write `controls: [ { minimumGroupSize: 10 } ]`; to release as computed, `[ { uncontrolled: "<reason>" } ]`.',
  ],
  'computations.*.outputs.*.controls.*': [
    'one control: an object with one member',
    'Write each control as an entry of its own, like `- minimumGroupSize: 10`.',
  ],
  'computations.*.outputs.*.controls.*.minimumGroupSize': [
    'a whole number of at least 1',
    'Write how many people each row must rest on.',
  ],
  'computations.*.outputs.*.controls.*.roundTo': [
    'columns, each with the step to round to',
    'Write `roundTo: { rate: "0.01" }`.',
  ],
  'computations.*.outputs.*.controls.*.roundTo.*': [`${decimal} above 0`, 'Write it in quotes, like "0.01".'],
  'computations.*.outputs.*.controls.*.clamp': [
    'columns, each with min and max',
    'Write `clamp: { amount: { min: "0", max: "1000" } }`.',
  ],
  'computations.*.outputs.*.controls.*.clamp.*': [
    'min and max, min not above max',
    'Write `{ min: "0", max: "1000" }`.',
  ],
  'computations.*.outputs.*.controls.*.clamp.*.min': [decimal, 'Write it in quotes, like "0.5".'],
  'computations.*.outputs.*.controls.*.clamp.*.max': [decimal, 'Write it in quotes, like "0.5".'],
  'computations.*.outputs.*.controls.*.topCode': [
    'columns, each with the highest value shown',
    'Write `topCode: { age: "90" }`.',
  ],
  'computations.*.outputs.*.controls.*.topCode.*': [decimal, 'Write it in quotes, like "90".'],
  'computations.*.outputs.*.controls.*.maxRows': [
    'a whole number of at least 1',
    'Write how many rows may leave.',
  ],
  'computations.*.outputs.*.controls.*.columns': [
    'a list of columns, no two alike',
    'Write the names of the columns that may leave.',
  ],
  'computations.*.outputs.*.controls.*.columns.*': [
    'the name of a column',
    'Write the name of a column of the result.',
  ],
  'computations.*.outputs.*.controls.*.differentialPrivacy': [
    'the fields epsilon, delta, mechanism',
    'Write `differentialPrivacy: { epsilon: "1", delta: "0.000001", mechanism: discrete-gaussian }`.',
  ],
  'computations.*.outputs.*.controls.*.differentialPrivacy.epsilon': [
    `${decimal} above 0`,
    'Write it in quotes, like "1".',
  ],
  'computations.*.outputs.*.controls.*.differentialPrivacy.delta': [
    `${decimal} from 0 to below 1`,
    'Write it in quotes, like "0.000001".',
  ],
  'computations.*.outputs.*.controls.*.differentialPrivacy.mechanism': [
    'discrete-laplace or discrete-gaussian',
    'Write one of these mechanisms.',
  ],
  'computations.*.outputs.*.controls.*.releaseApproval': [
    'the fields from and count',
    'Write `releaseApproval: { from: [north], count: 1 }`.',
  ],
  'computations.*.outputs.*.controls.*.releaseApproval.from': [
    'a list of party labels, no two alike',
    listOfNames,
  ],
  'computations.*.outputs.*.controls.*.releaseApproval.from.*': [
    'a party label',
    'Use a label of `parties`.',
  ],
  'computations.*.outputs.*.controls.*.releaseApproval.count': [
    'a whole number of at least 1',
    'Write how many of them must approve.',
  ],
  'computations.*.outputs.*.controls.*.keep': ['sealed', 'Write `keep: sealed`.'],
  'computations.*.outputs.*.controls.*.uncontrolled': [
    'the reason, one line of at most 500 characters',
    'Say why this output may leave as computed.',
  ],
  budgets: [
    'datasets, each with epsilon and delta',
    'Write `budgets: { stays: { epsilon: "4", delta: "0.00001" } }`.',
  ],
  'budgets.*': ['the fields epsilon and delta', 'Write `{ epsilon: "4", delta: "0.00001" }`.'],
  'budgets.*.epsilon': [`${decimal} above 0`, 'Write it in quotes, like "4".'],
  'budgets.*.delta': [`${decimal} from 0 to below 1`, 'Write it in quotes, like "0.00001".'],
}

/** The patterns of the guide, for the test that holds it complete. */
export const guidedFields: readonly string[] = Object.keys(guide)

/** What stands in a field. */
export function guideOf(path: readonly (string | number)[]): FieldGuide {
  const found = guidedFields.find((pattern) => matches(pattern === '' ? [] : pattern.split('.'), path))
  const [expected, mend] = guide[found ?? ''] ?? ['a field of a contract', 'See the example contract.']
  return { expected, mend }
}

/** What names of a map must be. */
export const namesGuide: FieldGuide = { expected: nameRule, mend: 'Rename it.' }

function matches(pattern: readonly string[], path: readonly (string | number)[]): boolean {
  return (
    pattern.length === path.length && pattern.every((segment, i) => segment === '*' || segment === path[i])
  )
}
