/** Guidance for machines of clouds and for tokens of their services. */
import type { Guidance } from './phrases.js'

const register = '64 lower-case hexadecimal characters'
const fromVtpm =
  'Copy it from the quote of the vTPM of an image that you built, or leave it out where it is zero.'
const registers = Object.fromEntries(
  Array.from({ length: 16 }, (_, index): [string, Guidance][] => [
    [`enclaves.*.pcr${index}`, [`a list of ${register} each, no two alike`, fromVtpm]],
    [`enclaves.*.pcr${index}.*`, [register, fromVtpm]],
  ]).flat(),
)

/** By the pattern of a field. */
export const cloudEnclaveGuide: Readonly<Record<string, Guidance>> = {
  ...registers,
  'enclaves.*.waivedPcrs': [
    'a list of registers that are not compared, no two alike',
    'Leave it out to compare each of 0 to 15.',
  ],
  'enclaves.*.waivedPcrs.*': [
    '1, 3, 5, 6, 10, 14 or 15',
    'Write the number of a register that differs between machines; those that measure code cannot be waived.',
  ],
  'enclaves.*.secureBoot': ['waived', 'Leave it out to demand secure boot.'],
  'enclaves.*.console': ['allowed', 'Leave it out to demand that the serial console is off.'],
  'enclaves.*.issuer': [
    'a URL that begins with https, as tokens name their issuer',
    'Copy it from the service, like https://sharedeus.eus.attest.azure.net.',
  ],
  'enclaves.*.keys': [
    'a list of keys with which the service signs, no two alike',
    'Write thumbprints of its keys, or fingerprints of certificates above them.',
  ],
  'enclaves.*.keys.*': [
    'a thumbprint of 43 characters of base64url, or a fingerprint of 64 lower-case hexadecimal characters',
    'Compute it from the key set that the service publishes; `sealroom attest reference` does.',
  ],
  'enclaves.*.policyHash': [
    'a list of hashes of 43 characters of base64url, no two alike',
    'Copy x-ms-policy-hash from a token whose policy you know.',
  ],
  'enclaves.*.policyHash.*': ['43 characters of base64url', 'Copy x-ms-policy-hash from a token.'],
  'enclaves.*.compliance': [
    'a list of azure-compliant-cvm and azure-compliant-uvm, no two alike',
    'Leave it out to accept azure-compliant-cvm only.',
  ],
  'enclaves.*.compliance.*': ['azure-compliant-cvm or azure-compliant-uvm', 'Write one of these.'],
  'enclaves.*.nested': ['azurevm', 'Leave it out for tokens of the hardware alone.'],
  'enclaves.*.guestCode': [
    'unmeasured',
    'Leave it out to demand that host data, a register or MRCONFIGID names the code of the guest.',
  ],
  'enclaves.*.audience': [
    '1 to 512 visible ASCII characters',
    'Write the audience that the worker asks the service for.',
  ],
  'enclaves.*.hardware': [
    'a list of hardware models, no two alike',
    'Write those that you accept: some of GCP_AMD_SEV, GCP_AMD_SEV_ES, GCP_AMD_SEV_SNP, GCP_INTEL_TDX. The first two do not keep the host from changing memory.',
  ],
  'enclaves.*.hardware.*': [
    'GCP_AMD_SEV, GCP_AMD_SEV_ES, GCP_AMD_SEV_SNP or GCP_INTEL_TDX',
    'Write one of these models.',
  ],
  'enclaves.*.cmdOverride': ['a list of arguments', 'Leave it out to demand the image’s own command.'],
  'enclaves.*.cmdOverride.*': ['a text of 1 to 1000 characters', 'Write the argument in quotes.'],
  'enclaves.*.envOverride': ['a map of variables to texts', 'Leave it out to demand that none is set.'],
  'enclaves.*.envOverride.*': ['a text of at most 1000 characters', 'Write the value in quotes.'],
  'enclaves.*.restartPolicy': [
    'a list of Never, OnFailure and Always, no two alike',
    'Leave it out to accept Never only.',
  ],
  'enclaves.*.restartPolicy.*': ['Never, OnFailure or Always', 'Write one of these.'],
  'enclaves.*.memoryMonitoring': ['allowed', 'Leave it out to demand that use of memory is not reported.'],
  'enclaves.*.minimumImageVersion': [
    'a whole number from 1 to 999999999',
    'Write the lowest swversion that you accept, like 260900, or leave it out.',
  ],
  'enclaves.*.projects': ['a list of project ids, no two alike', 'Leave it out to accept every project.'],
  'enclaves.*.projects.*': ['a project id', 'Write the id in quotes.'],
  'enclaves.*.serviceAccounts': [
    'a list of service accounts, no two alike',
    'Leave it out to accept every service account.',
  ],
  'enclaves.*.serviceAccounts.*': ['a service account', 'Write its address in quotes.'],
}
