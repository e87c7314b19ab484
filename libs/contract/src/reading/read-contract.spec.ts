import { describe, expect, it } from 'vitest'
import { exampleYaml } from '../example-contract.js'
import { canonicalTerms, parseTerms } from './read-contract.js'

describe('canonicalTerms', () => {
  it('reads the example and writes every default out', () => {
    const terms = canonicalTerms(exampleYaml)
    expect(terms.runs).toEqual({
      leaseSeconds: 60,
      timeGridMilliseconds: 100,
      recordWaitSeconds: 60,
      maximumSeconds: 3600,
      failures: 5,
      reuse: 'never',
    })
    expect(terms.computations['readmissions_by_ward']).toMatchObject({ over: ['stays'], failures: 5 })
    expect(terms.datasets['claims']).toMatchObject({
      kind: 'table',
      columns: { amount: { min: '0', max: '500000.5' } },
    })
    expect(terms.budgets).toEqual({ stays: { epsilon: '4', delta: '0.00001' } })
  })

  it('is a fixed point: canonical terms are read back as they are', () => {
    const terms = canonicalTerms(exampleYaml)
    expect(parseTerms(JSON.parse(JSON.stringify(terms)))).toEqual(terms)
  })
})
