/** Generations of AMD's server processors, and the roots that vouch for each. */

/** Processors of one root key. Bergamo and Siena are certified as Genoa. */
export type Generation = 'milan' | 'genoa' | 'turin'

/** All of them. */
export const generations: readonly Generation[] = ['milan', 'genoa', 'turin']

/** SHA-256 fingerprints of root certificates that are trusted for a generation. */
export type AmdRoots = Readonly<Record<Generation, readonly string[]>>

/** AMD's root keys (ARK), as published by its key distribution service. */
export const amdRoots: AmdRoots = {
  milan: ['69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd'],
  genoa: ['4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1'],
  turin: ['1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a'],
}

/** As AMD writes it, in names of certificates and products. */
export const generationNames: Readonly<Record<Generation, 'Milan' | 'Genoa' | 'Turin'>> = {
  milan: 'Milan',
  genoa: 'Genoa',
  turin: 'Turin',
}

/** The generation by AMD's name for it, case and all; undefined for another. */
export function generationOfName(name: string): Generation | undefined {
  return generations.find((generation) => generationNames[generation] === name)
}

// Family, first and last model (AMD's revision guides).
const models: readonly (readonly [family: number, first: number, last: number, Generation])[] = [
  [0x19, 0x00, 0x0f, 'milan'],
  [0x19, 0x10, 0x1f, 'genoa'],
  [0x19, 0xa0, 0xaf, 'genoa'],
  [0x1a, 0x00, 0x1f, 'turin'],
]

/** The generation of a processor; undefined for one that is not known here. */
export function generationOfCpu(cpu: {
  readonly family: number
  readonly model: number
}): Generation | undefined {
  return models.find(
    ([family, first, last]) => cpu.family === family && cpu.model >= first && cpu.model <= last,
  )?.[3]
}
