import { describe, expect, it } from 'vitest'
import * as fromYaml from '#libs/contract/yaml'
import * as contract from '#libs/contract'

describe('#libs/contract/yaml', () => {
  it('holds what reads contracts as people write them', () => {
    expect(Object.keys(fromYaml).sort()).toEqual([
      'canonicalTerms',
      'maximumYamlBytes',
      'readContract',
      'readYaml',
    ])
  })

  it('reads into the same terms and errors as the library', () => {
    expect(() => fromYaml.canonicalTerms('a: [')).toThrow(contract.ContractError)
  })
})
