/**
 * Whether AMD's hardware made a report. Guards form, chain to a pinned root, the signature, and that the certificate is of the
 * processor, the TCB and the chip that the report names. Says nothing about which code runs or how; see appraise.ts.
 */
import { equalBytes, toHex } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { verifyChain, type Chain } from '../x509/chain.node.js'
import type { Certificate } from '../x509/certificate.js'
import { parseCertificates, parseRevocationLists } from '../x509/pem.js'
import type { RevocationList } from '../x509/revocation-list.js'
import { verifyLists, verifyNotRevoked } from '../x509/revocation.node.js'
import { isRawEcdsa } from '../x509/signature.node.js'
import { parseEndorsement, type Endorsement } from './endorsement.js'
import { generationNames, generationOfCpu, type AmdRoots, type Generation } from './generations.js'
import { checkReserved, parseSnpReport, type SnpReport } from './report.js'
import { componentBelow, componentUnequal, readTcb, type Tcb } from './tcb.js'

/** A report with what vouches for it: bytes from anyone. */
export interface SnpEvidence {
  readonly report: Uint8Array
  /** VCEK or VLEK, in DER, or PEM of which the first certificate counts. */
  readonly vek: Uint8Array
  /** ASK or ASVK, and ARK, in PEM, in any order. */
  readonly chain: Uint8Array
  /** AMD's revocation list, in DER or PEM. Whether it may be missing: see {@link SnpTrust}. */
  readonly crl?: Uint8Array
}

/** When, under which roots, and whether it must be shown that AMD has not revoked its authorities. */
export interface SnpTrust {
  /** In milliseconds. */
  readonly at: number
  readonly roots: AmdRoots
  /** `ifShown` is for looking at evidence alone: whoever leaves the list out hides what it would have refused. */
  readonly revocationList: 'demanded' | 'ifShown'
}

declare const authentic: unique symbol

/** A report that AMD's hardware made. */
export interface AuthenticSnpReport {
  readonly [authentic]: true
  readonly report: SnpReport
  readonly endorsement: Endorsement
  readonly generation: Generation
  readonly reportedTcb: Tcb
  readonly committedTcb: Tcb
  readonly launchTcb: Tcb
  /** Until when every certificate of the chain is valid, in milliseconds. */
  readonly certificatesUntil: number
  /** The same, with the revocation lists that were shown. */
  readonly vouchedUntil: number
}

// AMD signs certificates and lists with keys of 4096 bits and this alone (57230, chapter 3).
const algorithms = ['rsa-pss-sha384'] as const

/**
 * Authenticates a report at a time in milliseconds.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`, `ALGORITHM`, `WRONG_TYPE`, `CHAIN_UNTRUSTED`, `NOT_YET_VALID`,
 * `EXPIRED`, `REVOKED`, `COLLATERAL_MISSING`, `COLLATERAL_MISMATCH`, `SIGNATURE_INVALID`, `WRONG_CHIP`, `TCB_MISMATCH`.
 */
export function authenticateSnpReport(
  evidence: SnpEvidence,
  { at, roots, revocationList }: SnpTrust,
): AuthenticSnpReport {
  const report = parseSnpReport(evidence.report)
  const { vek, endorsement, chain } = verifyEndorsementChain(evidence, { at, roots })
  const { generation } = endorsement
  // AMD's root lists authorities; those publish no list of the keys that they certify.
  const lists = parseRevocationLists(evidence.crl, 'AMD revocation list')
  verifyNotRevoked(chain, lists, {
    at,
    algorithms,
    demanded: revocationList === 'demanded' ? 'authorities' : 'none',
  })
  checkSignature(report, endorsement, vek)
  checkReserved(report)
  checkKind(report, endorsement)
  checkProduct(report, endorsement)
  checkTcb(report, endorsement)
  checkChip(report, endorsement)

  return Object.freeze({
    report,
    endorsement,
    generation,
    reportedTcb: readTcb(report.reportedTcb, generation),
    committedTcb: readTcb(report.committedTcb, generation),
    launchTcb: readTcb(report.launchTcb, generation),
    certificatesUntil: earliestEnd(chain),
    vouchedUntil: earliestEnd([...chain, ...lists]),
  }) as AuthenticSnpReport
}

interface VerifiedEndorsement {
  readonly vek: Certificate
  readonly endorsement: Endorsement
  readonly chain: Chain
}

function verifyEndorsementChain(
  files: Pick<SnpEvidence, 'vek' | 'chain'>,
  { at, roots }: Pick<SnpTrust, 'at' | 'roots'>,
): VerifiedEndorsement {
  const [vek] = parseCertificates(files.vek, 'VCEK or VLEK') as readonly [Certificate]
  const pool = parseCertificates(files.chain, 'AMD chain')
  const endorsement = parseEndorsement(vek)
  const { kind, generation } = endorsement
  const chain = verifyChain(vek, pool, { at, roots: roots[generation], algorithms, what: kind })
  return { vek, endorsement, chain }
}

/**
 * Checks that AMD signed revocation lists which are current, and gives them. Says nothing about who is on them.
 * @throws AttestationError as {@link authenticateSnpReport}.
 */
export function verifyAmdLists(
  files: Required<Pick<SnpEvidence, 'vek' | 'chain' | 'crl'>>,
  trust: Pick<SnpTrust, 'at' | 'roots'>,
): readonly RevocationList[] {
  const { chain } = verifyEndorsementChain(files, trust)
  const lists = parseRevocationLists(files.crl, 'AMD revocation list')
  verifyLists(lists, chain.slice(1), { at: trust.at, algorithms })
  return lists
}

function checkSignature(report: SnpReport, endorsement: Endorsement, vek: Certificate): void {
  const p384 = { curve: 'P-384', hash: 'sha384' } as const
  if (isRawEcdsa(report, vek.publicKey, p384, 'SNP report')) return
  const why = misfit(report, endorsement)
  throw refused('SIGNATURE_INVALID', 'SIGNATURE', `not made by the ${endorsement.kind} shown${why}`)
}

// Not authenticated, and so only a hint for whoever mixed up certificates.
function misfit({ chipId, signingKey }: SnpReport, { kind, hardwareId }: Endorsement): string {
  if (signingKey !== kind) return `; the report names a ${signingKey}`
  if (hardwareId !== null && !isChip(chipId, hardwareId)) return '; the certificate is of another chip'
  return ''
}

function checkKind({ signingKey }: SnpReport, { kind }: Endorsement): void {
  if (signingKey !== kind)
    throw refused(
      'WRONG_TYPE',
      'KEY_INFO',
      `it names a ${signingKey} as its key; the certificate is a ${kind}`,
    )
}

// Version 2 does not name the processor; there the certificate alone says it.
function checkProduct({ cpuid }: SnpReport, { generation, product }: Endorsement): void {
  const expected = generationNames[generation]
  if (product !== generation)
    throw refused('WRONG_CHIP', 'product name', `the certificate is for another product than ${expected}`)
  if (cpuid !== null && generationOfCpu(cpuid) !== generation)
    throw refused(
      'WRONG_CHIP',
      'CPUID',
      `processor family ${cpuid.family} model ${cpuid.model} is not ${expected}, which the certificate is for`,
    )
}

function checkTcb(report: SnpReport, { tcb, generation }: Endorsement): void {
  const reported = readTcb(report.reportedTcb, generation)
  const component = componentUnequal(reported, tcb)
  if (component !== undefined)
    throw refused(
      'TCB_MISMATCH',
      'REPORTED_TCB',
      `${component} is ${reported[component]}; the certificate is for ${tcb[component]}`,
    )
  // Firmware never runs below what it has committed to: a report that says so contradicts itself.
  const [current, committed] = [report.currentTcb, report.committedTcb].map((bytes) =>
    readTcb(bytes, generation),
  ) as [Tcb, Tcb]
  const below = componentBelow(current, committed)
  if (below !== undefined)
    throw refused(
      'TCB_MISMATCH',
      'CURRENT_TCB',
      `${below} is ${current[below]}, below the committed ${committed[below]}`,
    )
}

function checkChip({ chipId, chipKeyMasked }: SnpReport, { hardwareId }: Endorsement): void {
  if (hardwareId === null || chipKeyMasked) return
  if (!isChip(chipId, hardwareId))
    throw refused(
      'WRONG_CHIP',
      'CHIP_ID',
      `${toHex(chipId.subarray(0, 8))}… is not ${toHex(hardwareId.subarray(0, 8))}…, which the certificate is for`,
    )
}

// On Turin the id has 8 bytes, filled up with zeros in the report.
function isChip(chipId: Uint8Array, hardwareId: Uint8Array): boolean {
  const filled = new Uint8Array(chipId.length)
  filled.set(hardwareId)
  return equalBytes(filled, chipId)
}

function earliestEnd(vouching: readonly Pick<Certificate, 'validity'>[]): number {
  return Math.min(...vouching.map(({ validity }) => validity.until))
}

function refused(
  code: 'SIGNATURE_INVALID' | 'WRONG_TYPE' | 'WRONG_CHIP' | 'TCB_MISMATCH',
  field: string,
  why: string,
): AttestationError {
  return new AttestationError(code, `SNP report: ${field}: ${why}`, { stage: 'authenticate', field })
}
