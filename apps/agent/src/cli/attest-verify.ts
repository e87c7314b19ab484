/** `sealroom attest verify`: what each entry of a contract says of evidence, outside any run. */
import { verifyUnbound, type EntryVerdict } from '#libs/attestation'
import { readEnclaves } from '../attest/contract-enclaves.js'
import { mendOf } from '../attest/mend.js'
import { kindForContracts, readCollateral, readEvidence } from '../attest/read-evidence.js'
import { timeGiven } from '../attest/time-given.js'
import { AgentError } from '../errors.js'
import { exitCodes } from './exit-codes.js'
import { printable } from './printable.js'
import type { Answer } from './world.js'

export interface AttestVerifyOptions {
  readonly contract: string
  readonly at: string
  readonly collateral?: string
  readonly reportData?: string
  readonly kind?: string
}

const notCompared =
  'NOT COMPARED here: age and GPUs, and whose keys the enclave holds; a release compares all of these.'

/** Holds evidence against every entry; one that is met is enough. */
export async function attestVerify(file: string, options: AttestVerifyOptions): Promise<Answer> {
  const now = timeGiven(options.at)
  const reportData = reportDataGiven(options.reportData)
  const enclaves = await readEnclaves(options.contract)
  const found = await readEvidence(file, options.kind)
  const shown = { kind: kindForContracts(found.kind), bytes: found.bytes }
  const collateral = options.collateral === undefined ? {} : await readCollateral(options.collateral, shown)
  const evidence = { ...shown, collateral }
  const verdicts = await verifyUnbound({ evidence, enclaves, now, reportData })
  const met = verdicts.find(({ refusal }) => refusal === null)
  const bound = reportData === null ? 'reportData not compared' : 'reportData as given'
  return {
    json: {
      file,
      accepted: met !== undefined,
      entry: met?.entry ?? null,
      reportDataCompared: reportData !== null,
      entries: verdicts.map(jsonOf),
    },
    text: [
      met === undefined
        ? `${file}: REFUSED at ${options.at} by every entry of ${options.contract}`
        : `${file}: accepted at ${options.at} by entry ${met.entry} of ${options.contract}, ${bound}`,
      ...verdicts.flatMap(linesOf),
      notCompared,
    ],
    exit: met === undefined ? exitCodes.refused : exitCodes.ok,
  }
}

function jsonOf({ entry, checks, refusal }: EntryVerdict) {
  const { code, message, field } = refusal ?? {}
  return {
    entry,
    accepted: refusal === null,
    checks,
    refusal: code === undefined ? null : { code, field, message, mend: mendOf(code) },
  }
}

function linesOf({ entry, checks, refusal }: EntryVerdict): string[] {
  if (refusal === null) return [`entry ${entry}: met, ${checks.length} checks`]
  const failed = checks.find(({ ok }) => !ok)
  return [
    `entry ${entry}: ${refusal.code}: ${refusal.message}`,
    ...(failed === undefined
      ? []
      : [`  check     ${failed.check}`, `  expected  ${failed.expected}`, `  seen      ${failed.seen}`]),
    `  to mend   ${mendOf(refusal.code)}`,
    // A certificate's name can hold a line break, and must not look like a line of ours.
  ].map(printable)
}

function reportDataGiven(text: string | undefined): string | null {
  if (text === undefined) return null
  if (/^[0-9a-f]{128}$/.test(text)) return text
  throw new AgentError('USAGE', '--report-data: expected 128 lower-case hexadecimal characters')
}
