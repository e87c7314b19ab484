import { describe, expect, it } from 'vitest'
import { canonicalTerms } from '#libs/contract/yaml'
import { engineRule, planDataset } from './dataset-plan.js'
import { studyYaml } from '../testing/study.js'

const key = (letter: string) => `${letter.repeat(42)}A`
const yaml = studyYaml
  .replace('key: north', `key: "${key('n')}"`)
  .replace('key: south', `key: "${key('s')}"`)
  .replace('key: lab', `key: "${key('l')}"`)
  .replace('key: watch', `key: "${key('w')}"`)
  .replace(
    'log: {',
    `log: { origin: log.test/1, key: "${key('k')}", coordinator: "${key('c')}", secret: "${key('x')}", checkpoint: "c",`,
  )
const segmented = yaml.replace(
  '    owners: [north]\n',
  '    owners: [north]\n    segments: { keys: [id], facts: [age, ward, secret] }\n',
)

function groupsOf(text: string) {
  const plan = planDataset(canonicalTerms(text), 'people', 'north')
  if (plan.kind !== 'table') throw new Error('the plan of a model')
  return plan.groups
}

describe('the plan of a table', () => {
  it('has a segment for each column where the contract names none', () => {
    const groups = groupsOf(yaml)
    expect(groups.map(({ name }) => name).toSorted()).toEqual(['age', 'id', 'secret', 'ward'])
    expect(groups.every(({ name, columns }) => columns.length === 1 && columns[0] === name)).toBe(true)
  })

  it('has the contract’s own segments where it names them', () => {
    const groups = groupsOf(segmented)
    expect(groups.find(({ name }) => name === 'keys')).toEqual({ name: 'keys', columns: ['id'] })
    expect(groups).toHaveLength(2)
  })

  it.each([
    ['persons', 'north', 'USAGE'],
    ['people', 'south', 'REFUSED'],
    ['people', '', 'REFUSED'],
    ['constructor', 'north', 'USAGE'],
  ])('is refused for dataset %s of %s', (dataset, owner, code) => {
    expect(() => planDataset(canonicalTerms(yaml), dataset, owner)).toThrow(
      expect.objectContaining({ code }) as Error,
    )
  })

  it('writes instants as Parquet holds them, without a zone', () => {
    const rule = engineRule({ type: 'timestamp', nullable: false, use: [], min: '2026-11-01T09:30:00.000Z' })
    expect(rule).toMatchObject({ type: 'timestamp', min: '2026-11-01 09:30:00.000' })
  })
})
