/** `sealroom attest policy`. */
import { policyDigest } from '../attest/policy-digest.js'
import { readBounded } from '../durable-file.js'
import { facts } from './table.js'
import type { Answer } from './world.js'

const maximumPolicyBytes = 1_048_576

/** Computes the digest of a policy, and says where a contract names it. */
export async function attestPolicy(file: string): Promise<Answer> {
  const policy = policyDigest(await readBounded(file, maximumPolicyBytes), file)
  const { form, algorithm, digest, hostData, mrConfigId, pcr8, images } = policy
  return {
    json: { file, ...policy },
    text: [
      `${file}: ${form}`,
      ...facts([
        [algorithm, digest],
        ['sev-snp, maa-snp', `hostData: ["${hostData}"]`],
        ...(mrConfigId === null ? [] : [['tdx, maa-tdx', `mrConfigId: ["${mrConfigId}"]`] as const]),
        ...(pcr8 === null ? [] : [['az-snp-vtpm, az-tdx-vtpm', `pcr8: ["${pcr8}"]`] as const]),
        ...images.map((image) => ['image', image] as const),
      ]),
    ],
  }
}
