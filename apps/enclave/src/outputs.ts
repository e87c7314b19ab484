/**
 * What leaves: each output padded and sealed under a key of its own, which nobody has until the Receipt is recorded. The only way
 * from a table to the outside leads through here, and only controlled tables have the type that goes in.
 */
import { canonicalBytes, digest, domains, type Digest } from '#libs/canonical'
import { createMemoryFile, type MemoryFile } from '#libs/engine'
import { outputContext, pad, sealBytes } from '#libs/envelope'
import type { ReleasedOutput } from '#libs/protocol'
import { limits } from './limits.js'

/** One sealed output. `key` is a secret until {@link SealedOutput.wipe}. */
export interface SealedOutput {
  readonly name: string
  readonly digest: Digest
  readonly size: number
  readonly key: Uint8Array
  readonly file: MemoryFile
  wipe(): void
}

/**
 * Seals outputs; null where one is larger than may leave.
 * @param randomBytes - the platform's own; a generator that repeats itself would show outputs to whoever has another
 */
export async function sealOutputs(
  outputs: readonly ReleasedOutput[],
  randomBytes: (length: number) => Uint8Array,
): Promise<readonly SealedOutput[] | null> {
  const documents = outputs.map((output) => ({ output, bytes: canonicalBytes(output) }))
  if (documents.some(({ bytes }) => bytes.length > limits.resultBytes)) return null
  return await Promise.all(documents.map(({ output, bytes }) => sealOutput(output, bytes, randomBytes)))
}

async function sealOutput(
  { run, output }: ReleasedOutput,
  bytes: Uint8Array,
  randomBytes: (length: number) => Uint8Array,
): Promise<SealedOutput> {
  const key = randomBytes(32)
  const sealed = sealBytes({ dataKey: key, context: outputContext({ run, output }), randomBytes }, pad(bytes))
  bytes.fill(0)
  const file = createMemoryFile()
  await file.write(sealed, 0)
  return {
    name: output,
    digest: digest(domains.ciphertext, sealed),
    size: sealed.length,
    key,
    file,
    wipe: () => {
      key.fill(0)
      file.discard()
    },
  }
}
