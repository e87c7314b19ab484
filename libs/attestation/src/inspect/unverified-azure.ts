/** What evidence of an Azure confidential VM says, not verified: the hardware below, how the VM was set up, and what its vTPM quotes. */
import { toHex, type JsonValue } from '#libs/canonical'
import { readAzureFiles } from '../az-vtpm/evidence-forms.js'
import { hardwareOfHcl, parseHclReport } from '../az-vtpm/hcl-report.js'
import { parseRuntimeData } from '../az-vtpm/runtime-data.js'
import { parseTpmStatement, selectRegisters, type TpmQuote } from '../az-vtpm/tpm-quote.js'
import { parseQuote } from '../dcap/quote.js'
import type { UnverifiedFacts } from './inspect.js'
import { unverifiedSnpFacts } from './unverified-snp.js'
import { unverifiedTdFacts } from './unverified-td.js'

type Facts = Readonly<Record<string, JsonValue>>

/** Facts of the paravisor's report alone. */
export function unverifiedHclFacts(bytes: Uint8Array): UnverifiedFacts {
  const hardware = hardwareOfHcl(bytes)
  const { hardwareReport, runtimeData } = parseHclReport(bytes, hardware)
  const beside: Facts = { hardware, runtimeDataBytes: runtimeData.length }
  if (hardware === 'tdx') return { unverifiedFacts: beside, warnings: [] }
  const { unverifiedFacts, warnings } = unverifiedSnpFacts(hardwareReport)
  return { unverifiedFacts: { ...beside, ...unverifiedFacts }, warnings }
}

/** Facts of a whole document. */
export function unverifiedAzureFacts(bytes: Uint8Array): UnverifiedFacts {
  const { hcl, tpmQuote, vek, tdQuote } = readAzureFiles({ evidenceJson: bytes })
  const hardware = hardwareOfHcl(hcl)
  const below =
    hardware === 'tdx' && tdQuote !== null
      ? unverifiedTdFacts(parseQuote(tdQuote, 'tdx'))
      : unverifiedHclFacts(hcl)
  const { secureBoot, console } = parseRuntimeData(parseHclReport(hcl, hardware).runtimeData)
  return {
    unverifiedFacts: {
      ...below.unverifiedFacts,
      hardware,
      secureBoot,
      console,
      ...quoteFacts(tpmQuote),
      certificateIncluded: vek !== null,
      tdQuoteIncluded: tdQuote !== null,
    },
    warnings: [
      ...below.warnings,
      ...(secureBoot === true ? [] : ['secure boot is off, or nothing is said of it']),
      ...(console === false ? [] : ['the serial console of the host may reach the guest']),
      ...(tpmQuote === null
        ? ['no TPM quote: nothing shows when it was made, nor what the guest booted']
        : []),
    ],
  }
}

function quoteFacts(tpmQuote: TpmQuote | null): Facts {
  if (tpmQuote === null) return { nonce: null, registers: {} }
  const { extraData, selected, pcrDigest } = parseTpmStatement(tpmQuote.message)
  const values = tpmQuote.pcrs === null ? [] : [...selectRegisters(selected, tpmQuote.pcrs)]
  return {
    nonce: toHex(extraData),
    pcrs: [...selected],
    pcrDigest: toHex(pcrDigest),
    registers: Object.fromEntries(values.map(([index, value]) => [`pcr${index}`, toHex(value)])),
  }
}
