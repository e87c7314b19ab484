/**
 * An SGX quote judged alone, under the strict policy for production. For inspection: a run takes place in no
 * SGX enclave, so there are no reference values for one.
 */
import { toHex, type JsonValue } from '#libs/canonical'
import { authenticateQuote, type AuthenticQuote } from '../dcap/authenticate.js'
import { readQuoteFiles, type QuoteFiles } from '../dcap/files.js'
import { demandUpToDate } from '../dcap/production.js'
import { refusal } from '../dcap/refusal.js'
import { intelRoots } from '../dcap/roots.js'
import { judgeEvidence, type EvidenceVerdict } from '../verdict.js'

/**
 * Judges a quote at a time in milliseconds, under roots by SHA-256 of their DER: Intel's own unless told
 * otherwise.
 */
export function judgeSgxQuote(
  files: QuoteFiles,
  { at, roots = intelRoots }: { readonly at: number; readonly roots?: readonly string[] },
): Promise<EvidenceVerdict> {
  return judgeEvidence({
    authenticate: () => authenticateQuote(readQuoteFiles(files), 'sgx', { at, roots }),
    factsOf: sgxFacts,
    demandProduction: demandSgxProduction,
  })
}

/** ATTRIBUTES.FLAGS (Intel SDM volume 3D §38.7.1): the host can read and change the enclave. */
const debugFlag = 0x02

/**
 * The strict policy: no debug, and firmware that is up to date.
 * @throws AttestationError `DEBUG_ENABLED`, `TCB_OUT_OF_DATE`, `TCB_NOT_UP_TO_DATE`, `REVOKED`.
 */
export function demandSgxProduction({ quote, tcb }: AuthenticQuote<'sgx'>): void {
  if (((quote.body.attributes[0] ?? 0) & debugFlag) !== 0)
    throw refusal('DEBUG_ENABLED', 'ATTRIBUTES', 'DEBUG is set', 'appraise')
  demandUpToDate(tcb)
}

/** The facts of a quote by the names that captured evidence is described with. */
export function sgxFacts({
  quote,
  platform,
  tcb,
}: AuthenticQuote<'sgx'>): Readonly<Record<string, JsonValue>> {
  const { body } = quote
  return {
    version: quote.version,
    tee_type: 0,
    padding_bytes: quote.paddingLength,
    ...(quote.bodyType === null ? {} : { body_type: quote.bodyType }),
    mr_enclave: toHex(body.mrEnclave),
    mr_signer: toHex(body.mrSigner),
    isv_prod_id: body.isvProdId,
    isv_svn: body.isvSvn,
    report_data: toHex(body.reportData),
    fmspc: platform.fmspc,
    tcb_status: tcb.status,
    advisories: [...tcb.advisories],
  }
}
