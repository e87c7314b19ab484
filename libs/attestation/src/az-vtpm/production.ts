/**
 * Evidence of an Azure confidential VM judged alone, under the strict policy for production. Nothing is
 * released on it.
 */
import { equalBytes, toHex, type JsonValue } from '#libs/canonical'
import { parseDcapCollateral } from '../dcap/collateral.js'
import { intelRoots as intel } from '../dcap/roots.js'
import { AttestationError } from '../errors.js'
import { amdRoots as amd, type AmdRoots } from '../sev-snp/generations.js'
import { demandSnpProduction, snpFacts } from '../sev-snp/production.js'
import { demandTdxProduction, tdxFacts } from '../tdx/production.js'
import { judgeEvidence, type EvidenceVerdict } from '../verdict.js'
import { authenticateAzureSnp, authenticateAzureTdx, type AuthenticAzureVm } from './authenticate.js'
import { readAzureFiles, type AzureFiles } from './evidence-forms.js'

/** What evidence is judged by. */
export interface AzureRules {
  /** In milliseconds. */
  readonly at: number
  /** The nonce asked for; null: none was. */
  readonly nonce: Uint8Array | null
  /** AMD's own unless told otherwise. */
  readonly amdRoots?: AmdRoots
  /** Intel's own unless told otherwise. */
  readonly intelRoots?: readonly string[]
}

/** Judges evidence of a VM on AMD SEV-SNP. */
export function judgeAzureSnp(files: AzureFiles, rules: AzureRules): Promise<EvidenceVerdict> {
  const { at, nonce, amdRoots = amd } = rules
  return judgeEvidence({
    authenticate: () =>
      authenticateAzureSnp(readAzureFiles(files), files, { at, roots: amdRoots, revocationList: 'ifShown' }),
    factsOf: (vm) => {
      const { measurement, chip_id, policy, reported_tcb } = snpFacts(vm.hardware)
      // The chip is described by its first 16 bytes.
      const chip = typeof chip_id === 'string' ? chip_id.slice(0, 32) : ''
      return withoutAbsent({ ...vtpmFacts(vm), measurement, chip_id: chip, policy, reported_tcb })
    },
    demandProduction: (vm) => {
      demandSnpProduction(vm.hardware)
      demandNonce(vm, nonce)
    },
  })
}

/** Judges evidence of a VM on Intel TDX. */
export function judgeAzureTdx(files: AzureFiles, rules: AzureRules): Promise<EvidenceVerdict> {
  const { at, nonce, intelRoots = intel } = rules
  return judgeEvidence({
    authenticate: () => {
      const collateral = files.collateral === undefined ? null : parseDcapCollateral(files.collateral)
      return authenticateAzureTdx(readAzureFiles(files), collateral, { at, roots: intelRoots })
    },
    factsOf: (vm) => ({ ...tdxFacts(vm.hardware), ...vtpmFacts(vm) }),
    demandProduction: (vm) => {
      demandTdxProduction(vm.hardware)
      demandNonce(vm, nonce)
    },
  })
}

function demandNonce({ statement }: AuthenticAzureVm<unknown>, nonce: Uint8Array | null): void {
  if (nonce === null) return
  if (statement === null) throw refused('QUOTE_MISSING', 'quote', 'no TPM quote shows the nonce')
  if (!equalBytes(statement.extraData, nonce))
    throw refused(
      'BINDING_MISMATCH',
      'extraData',
      `it is ${toHex(statement.extraData)}, not the nonce asked for`,
    )
}

function vtpmFacts(vm: AuthenticAzureVm<unknown>): Readonly<Record<string, JsonValue>> {
  const { runtimeDigest, runtime, statement } = vm
  return {
    runtime_sha256: runtimeDigest,
    ak_n_prefix: runtime.attestationKey.n.slice(0, 16),
    ...(statement === null
      ? {}
      : { nonce: toHex(statement.extraData), pcr_digest: toHex(statement.pcrDigest) }),
  }
}

function withoutAbsent(
  facts: Readonly<Record<string, JsonValue | undefined>>,
): Readonly<Record<string, JsonValue>> {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  )
}

function refused(code: 'QUOTE_MISSING' | 'BINDING_MISMATCH', field: string, why: string): AttestationError {
  return new AttestationError(code, `TPM quote: ${field}: ${why}`, { stage: 'appraise', field })
}
