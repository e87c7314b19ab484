/** Guidance for the computations of a contract. */
import { day, listOfNames, decimal, type Guidance } from './phrases.js'

const instant = 'Write it like 2026-11-01T09:30:00.000Z.'

/** By the pattern of a field. */
export const computationGuide: Readonly<Record<string, Guidance>> = {
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
}
