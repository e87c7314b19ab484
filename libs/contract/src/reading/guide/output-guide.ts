/** Guidance for what leaves a computation. */
import { listOfNames, decimal, type Guidance } from './phrases.js'

/** By the pattern of a field. */
export const outputGuide: Readonly<Record<string, Guidance>> = {
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
}
