/** Guidance for the enclaves of a contract. */
import type { Guidance } from './phrases.js'

const fromBuild = 'Copy it from the output of the reproducible build of the enclave image.'
const svn = ['a whole number from 0 to 255', 'Copy it from the firmware that you require at least.'] as const
const hex96 = 'a list of 96 lower-case hexadecimal characters each, no two alike'

/** By the pattern of a field. */
export const enclaveGuide: Readonly<Record<string, Guidance>> = {
  enclaves: [
    'a list of 1 to 50 accepted kinds of enclave',
    'Write at least one entry that begins with `- tee:`.',
  ],
  'enclaves.*': ['an entry with the field tee', 'Write `- tee: sev-snp` and its fields.'],
  'enclaves.*.tee': [
    'simulated, sev-snp, tdx, nitro, az-snp-vtpm, az-tdx-vtpm, maa-snp, maa-tdx or gcp-cs',
    'Write one of these kinds.',
  ],
  'enclaves.*.key': [
    'a thumbprint of 43 characters of base64url',
    'Copy the thumbprint of the simulator’s key.',
  ],
  'enclaves.*.measurement': [
    'a list of at least one measurement in lower-case hexadecimal, no two alike: 64 characters each for simulated and gcp-cs, 96 for others',
    fromBuild,
  ],
  'enclaves.*.measurement.*': [
    'a measurement in lower-case hexadecimal: 64 characters for simulated and gcp-cs, 96 for others',
    fromBuild,
  ],
  'enclaves.*.maximumAgeSeconds': [
    'a whole number from 1 to 86400',
    'Write how old evidence may be, like 300.',
  ],
  'enclaves.*.generations': [
    'a list of chip generations, no two alike',
    'Write those whose machines you accept: some of milan, genoa, turin. What is known of attacks differs between them.',
  ],
  'enclaves.*.generations.*': ['milan, genoa or turin', 'Write one of these generations.'],
  'enclaves.*.providers': [
    'a list of provider names as in the VLEK, no two alike',
    'Write names like CN=cc-us-east-2.amazonaws.com.',
  ],
  'enclaves.*.providers.*': ['a provider name', 'Write a name like CN=cc-us-east-2.amazonaws.com.'],
  'enclaves.*.hostData': [
    'a list of 64 lower-case hexadecimal characters each, no two alike',
    'Copy the digest of the init data.',
  ],
  'enclaves.*.hostData.*': ['64 lower-case hexadecimal characters', 'Copy the digest of the init data.'],
  'enclaves.*.idKeyDigest': [hex96, fromBuild],
  'enclaves.*.idKeyDigest.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.minimumTcb': [
    'the lowest firmware accepted: { bootloader, tee, snp, microcode } for sev-snp, { evaluationDataNumber } for tdx',
    'Copy it from the firmware that you require at least.',
  ],
  'enclaves.*.minimumTcb.evaluationDataNumber': [
    'a whole number from 1 to 1000000',
    'Copy it from Intel’s TCB information.',
  ],
  'enclaves.*.minimumTcb.*': svn,
  'enclaves.*.chips': [
    'a list of chip ids of 128 lower-case hexadecimal characters, no two alike',
    'Copy them from evidence that you trust.',
  ],
  'enclaves.*.chips.*': [
    'a chip id of 128 lower-case hexadecimal characters',
    'Copy it from evidence that you trust.',
  ],
  'enclaves.*.refusedChips': [
    'a list of chip ids of 128 lower-case hexadecimal characters, no two alike',
    'Leave it out to refuse no chip by its id.',
  ],
  'enclaves.*.refusedChips.*': [
    'a chip id of 128 lower-case hexadecimal characters',
    'Copy it from the evidence of the chip that you no longer trust.',
  ],
  'enclaves.*.familyId': ['a list of 32 lower-case hexadecimal characters each, no two alike', fromBuild],
  'enclaves.*.familyId.*': ['32 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.imageId': ['a list of 32 lower-case hexadecimal characters each, no two alike', fromBuild],
  'enclaves.*.imageId.*': ['32 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.authorKeyDigest': [hex96, fromBuild],
  'enclaves.*.authorKeyDigest.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.vmpl': ['a list of privilege levels, no two alike', 'Leave it out to accept VMPL 0 only.'],
  'enclaves.*.vmpl.*': ['a whole number from 0 to 3', 'Write the level at which the worker runs.'],
  'enclaves.*.minimumGuestSvn': [
    'a whole number from 0 to 4294967295',
    'Write the lowest GUEST_SVN that you accept, or leave it out.',
  ],
  'enclaves.*.cxl': ['allowed', 'Leave it out to demand that the guest has no memory on CXL devices.'],
  'enclaves.*.waivedProtections': [
    'a list of protections that may be off, no two alike',
    'Leave it out to demand each of them.',
  ],
  'enclaves.*.waivedProtections.*': [
    'singleSocket, aes256Xts, raplDisabled, ciphertextHiding, pageSwapDisabled or aliasCheck',
    'Write one of these protections.',
  ],
  'enclaves.*.role': [hex96, 'Copy PCR3 from evidence that you trust.'],
  'enclaves.*.role.*': ['96 lower-case hexadecimal characters', 'Copy PCR3 from evidence that you trust.'],
  'enclaves.*.instance': [hex96, 'Copy PCR4 from evidence that you trust.'],
  'enclaves.*.instance.*': [
    '96 lower-case hexadecimal characters',
    'Copy PCR4 from evidence that you trust.',
  ],
  'enclaves.*.signer': [hex96, fromBuild],
  'enclaves.*.signer.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.smt': ['allowed', 'Leave it out to demand that multithreading is off.'],
  'enclaves.*.gpu.devices': ['a whole number from 1 to 64', 'Leave it out for exactly one GPU.'],
  'enclaves.*.mrConfigId': [hex96, fromBuild],
  'enclaves.*.mrConfigId.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.mrOwner': [hex96, fromBuild],
  'enclaves.*.mrOwner.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.mrOwnerConfig': [hex96, fromBuild],
  'enclaves.*.mrOwnerConfig.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.tcbStatus': ['a list of TCB statuses, no two alike', 'Leave it out to accept UpToDate only.'],
  'enclaves.*.tcbStatus.*': [
    'SWHardeningNeeded, ConfigurationNeeded, ConfigurationAndSWHardeningNeeded, OutOfDate or OutOfDateConfigurationNeeded',
    'Write one of these statuses.',
  ],
  'enclaves.*.fmspc': [
    'a list of platform families of 12 lower-case hexadecimal characters, no two alike',
    'Copy them from Intel’s TCB information.',
  ],
  'enclaves.*.fmspc.*': [
    'a platform family of 12 lower-case hexadecimal characters',
    'Copy it from Intel’s TCB information.',
  ],
  'enclaves.*.mrSeam': [
    'a list of 96 lower-case hexadecimal characters each, no two alike',
    'Leave it out to accept every TDX module that Intel calls up to date.',
  ],
  'enclaves.*.mrSeam.*': [
    '96 lower-case hexadecimal characters',
    'Copy MRSEAM from evidence that you trust.',
  ],
  'enclaves.*.septVe': ['enabled', 'Leave it out to demand SEPT_VE_DISABLE.'],
  'enclaves.*.gpu': [
    'the fields model, driver, vbios',
    'Write `gpu: { model: hopper, driver: ["550.90.07"], vbios: ["96.00.74.00.1A"] }`.',
  ],
  'enclaves.*.gpu.model': ['hopper or blackwell', 'Write one of these models.'],
  'enclaves.*.gpu.driver': [
    'a list of driver versions, no two alike',
    'Write versions in quotes, like ["550.90.07"].',
  ],
  'enclaves.*.gpu.driver.*': ['a driver version', 'Write it in quotes, like "550.90.07".'],
  'enclaves.*.gpu.vbios': [
    'a list of VBIOS versions, no two alike',
    'Write versions in quotes, like ["96.00.74.00.1A"].',
  ],
  'enclaves.*.gpu.vbios.*': ['a VBIOS version', 'Write it in quotes, like "96.00.74.00.1A".'],
  'enclaves.*.rtmr0': [hex96, fromBuild],
  'enclaves.*.rtmr0.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.rtmr1': [hex96, fromBuild],
  'enclaves.*.rtmr1.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.rtmr2': [hex96, fromBuild],
  'enclaves.*.rtmr2.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.rtmr3': [hex96, fromBuild],
  'enclaves.*.rtmr3.*': ['96 lower-case hexadecimal characters', fromBuild],
  'enclaves.*.advisories': ['a list of advisories, no two alike', 'Write ids like INTEL-SA-00837.'],
  'enclaves.*.advisories.*': ['an advisory id', 'Write an id like INTEL-SA-00837.'],
}
