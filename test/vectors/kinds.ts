import { attestation } from './attestation.js'
import { jcsNumbers } from './jcs-numbers.js'
import { jcsPairs } from './jcs-pairs.js'
import { hpke } from './hpke.js'
import type { VectorKind } from './kind.js'
import { merkle } from './merkle.js'
import { ohttp } from './ohttp.js'
import { wycheproof } from './wycheproof.js'

/** Every kind of vectors that the runner knows; the first that recognises a file reads it. */
export const vectorKinds: readonly VectorKind[] = [
  attestation,
  jcsPairs,
  jcsNumbers,
  hpke,
  ohttp,
  merkle,
  wycheproof,
]
