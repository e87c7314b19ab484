/** A contract between one owner and the requester, on which nothing waits for a person. */
import { writeFile } from 'node:fs/promises'
import { owners, requester, type Collaboration } from './collaboration.js'

/**
 * Proposes a contract with these sections, `datasets` and `computations`, and has the first owner sign it and answer by itself. Its id.
 */
export async function agreeOn(
  { stack, sealroom, keys }: Collaboration,
  name: string,
  sections: string,
): Promise<string> {
  const [owner] = owners
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
  const file = stack.party(requester).file(`${name}.yaml`)
  await writeFile(
    file,
    `sealroom: contract/v1
name: ${name}
purpose: Measuring.
valid: { from: ${day(-1)}, until: ${day(30)} }
parties:
  ${owner}: { key: "${keys[owner] ?? ''}", roles: [data] }
  ${requester}: { key: "${keys[requester] ?? ''}", roles: [requester, recipient] }
governance: { signatories: [${requester}, ${owner}], proposalExpires: ${day(7)} }
log: { witnesses: [${owner}], quorum: 1 }
enclaves: [ { tee: simulated, key: "${stack.simulatorKey}", measurement: ["${stack.measurement}"], maximumAgeSeconds: 300 } ]
runs: { timeGridMilliseconds: 10 }
${sections}`,
  )
  const contract = String((await sealroom(requester, 'contract', 'propose', file))['contract'])
  await sealroom(owner, 'contract', 'sign', contract)
  await sealroom(owner, 'rules', 'automatic', contract)
  return contract
}
