/**
 * A TDX quote judged alone, under the strict policy for production. No contract, no keys: nothing is released
 * on it.
 */
import { toHex, type JsonValue } from '#libs/canonical'
import { authenticateQuote, type AuthenticQuote } from '../dcap/authenticate.js'
import { readQuoteFiles, type QuoteFiles } from '../dcap/files.js'
import { demandUpToDate } from '../dcap/production.js'
import { refusal } from '../dcap/refusal.js'
import { intelRoots } from '../dcap/roots.js'
import { judgeEvidence, type EvidenceVerdict } from '../verdict.js'
import { hasServiceTd, tdxClaimsOf } from './claims.js'

/**
 * Judges a quote at a time in milliseconds, under roots by SHA-256 of their DER: Intel's own unless told
 * otherwise.
 */
export function judgeTdxQuote(
  files: QuoteFiles,
  { at, roots = intelRoots }: { readonly at: number; readonly roots?: readonly string[] },
): Promise<EvidenceVerdict> {
  return judgeEvidence({
    authenticate: () => authenticateQuote(readQuoteFiles(files), 'tdx', { at, roots }),
    factsOf: tdxFacts,
    demandProduction: demandTdxProduction,
  })
}

/**
 * The strict policy: nobody can debug the TD or move it, no bit of unknown meaning is set, and its firmware
 * is up to date.
 * @throws AttestationError `DEBUG_ENABLED`, `MIGRATION_ALLOWED`, `RESERVED_BITS`, `TCB_OUT_OF_DATE`,
 * `TCB_NOT_UP_TO_DATE`,
 * `REVOKED`.
 */
export function demandTdxProduction(authentic: AuthenticQuote<'tdx'>): void {
  const claims = tdxClaimsOf(authentic)
  if (claims.debug) throw refusal('DEBUG_ENABLED', 'TDATTRIBUTES', 'DEBUG is set', 'appraise')
  if (claims.migratable) throw refusal('MIGRATION_ALLOWED', 'TDATTRIBUTES', 'MIGRATABLE is set', 'appraise')
  if (hasServiceTd(claims))
    throw refusal('MIGRATION_ALLOWED', 'MRSERVICETD', 'a service TD is bound', 'appraise')
  if (claims.reserved.length > 0)
    throw refusal('RESERVED_BITS', 'TD', `${claims.reserved.join(', ')}: reserved`, 'appraise')
  demandUpToDate(authentic.tcb)
}

/** The facts of a quote by the names that captured evidence is described with. */
export function tdxFacts({
  quote,
  platform,
  tcb,
}: AuthenticQuote<'tdx'>): Readonly<Record<string, JsonValue>> {
  const { body } = quote
  return {
    version: quote.version,
    tee_type: 0x81,
    padding_bytes: quote.paddingLength,
    ...(quote.bodyType === null ? {} : { body_type: quote.bodyType }),
    tee_tcb_svn: toHex(body.teeTcbSvn),
    td_attributes: toHex(body.tdAttributes),
    xfam: toHex(body.xfam),
    mrtd: toHex(body.mrTd),
    ...Object.fromEntries(body.rtmrs.map((rtmr, n) => [`rtmr${n}`, toHex(rtmr)])),
    mr_config_id: toHex(body.mrConfigId),
    mr_owner: toHex(body.mrOwner),
    mr_owner_config: toHex(body.mrOwnerConfig),
    report_data: toHex(body.reportData),
    fmspc: platform.fmspc,
    tcb_status: tcb.status,
    advisories: [...tcb.advisories],
  }
}
