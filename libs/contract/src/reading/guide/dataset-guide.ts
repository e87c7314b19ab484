/** Guidance for the datasets of a contract, and what they may spend. */
import { listOfNames, decimal, type Guidance } from './phrases.js'

/** By the pattern of a field. */
export const datasetGuide: Readonly<Record<string, Guidance>> = {
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
  'datasets.*.inputs': [
    'a list of at least one input of the model, no two of one name',
    'Write `inputs: [ { name: rows, type: float32, columns: 6 } ]` as `sealroom model check` shows them.',
  ],
  'datasets.*.inputs.*': [
    'an input with name, type and columns',
    'Write `{ name: rows, type: float32, columns: 6 }`.',
  ],
  'datasets.*.inputs.*.name': ['the input’s name in the model', 'Copy it from `sealroom model check`.'],
  'datasets.*.inputs.*.type': ['float32, float64 or int64', 'Write one of these types.'],
  'datasets.*.inputs.*.columns': [
    'a whole number from 1 to 2000',
    'Write how many features one row has in this input; left out, 1.',
  ],
  'datasets.*.output': [
    'the fields name, type and columns',
    'Write `output: { name: scores, type: float32 }` as `sealroom model check` shows it.',
  ],
  'datasets.*.output.name': ['the output’s name in the model', 'Copy it from `sealroom model check`.'],
  'datasets.*.output.type': ['float32 or float64', 'Write one of these types.'],
  'datasets.*.output.columns': [
    'a whole number from 1 to 2000',
    'Write how many numbers one row gets; left out, 1.',
  ],
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
  budgets: [
    'datasets, each with epsilon and delta',
    'Write `budgets: { stays: { epsilon: "4", delta: "0.00001" } }`.',
  ],
  'budgets.*': ['the fields epsilon and delta', 'Write `{ epsilon: "4", delta: "0.00001" }`.'],
  'budgets.*.epsilon': [`${decimal} above 0`, 'Write it in quotes, like "4".'],
  'budgets.*.delta': [`${decimal} from 0 to below 1`, 'Write it in quotes, like "0.00001".'],
}
