import { describe, expect, it } from 'vitest'
import { resolveLabels } from './party-labels.js'

const thumbprintOf = (label: string) => (label === 'north' ? 'N'.repeat(43) : undefined)
const resolved = (yaml: string) => resolveLabels(yaml, thumbprintOf)

describe('labels in a contract', () => {
  it.each([
    [
      'parties:\n  north: { key: north, roles: [data] }',
      `parties:\n  north: { key: "${'N'.repeat(43)}", roles: [data] }`,
    ],
    ['parties:\n  a:\n    key: "north"\n', `parties:\n  a:\n    key: "${'N'.repeat(43)}"\n`],
    ["parties:\n  a: { key: 'north' } # north\n", `parties:\n  a: { key: "${'N'.repeat(43)}" } # north\n`],
  ])('stand for the keys of pinned parties', (yaml, expected) => {
    expect(resolved(yaml)).toBe(expected)
  })

  it.each([
    'purpose: the key: north\nparties:\n',
    'enclaves:\n  - { tee: simulated, key: north }\n',
    'parties:\n  a: { key: south }\n',
    'parties:\n  a: { key: northern }\n',
    'parties:\nlog: { key: north }\n',
  ])('are left alone everywhere else: %j', (yaml) => {
    expect(resolved(yaml)).toBe(yaml)
  })

  it('keep every line where it is', () => {
    const yaml = 'name: x\nparties:\n  a: { key: north }\n\nlog:\n  key: north\n'
    expect(resolved(yaml).split('\n')).toHaveLength(yaml.split('\n').length)
  })
})
