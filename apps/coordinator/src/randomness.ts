import { randomBytes } from 'node:crypto'

/** Where unpredictable bytes come from. */
export abstract class Randomness {
  abstract readonly bytes: (length: number) => Uint8Array
}

export class SystemRandomness extends Randomness {
  readonly bytes = (length: number): Uint8Array => randomBytes(length)
}
