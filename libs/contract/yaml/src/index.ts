/** Contracts as people write them. Apart from `#libs/contract`, so that what reads signed contracts only carries no YAML. */
export type { ProposalFields } from '../../src/reading/fill-defaults.js'
export { canonicalTerms, readContract, type ContractReading } from '../../src/reading/read-contract.js'
export { maximumYamlBytes, readYaml } from '../../src/reading/read-yaml.js'
