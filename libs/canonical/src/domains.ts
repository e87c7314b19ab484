/**
 * Every domain-separation string of the project, in one table. All end in a newline and hold none before it, so none is
 * a prefix of another; a test checks both.
 */
export const statementTypes = [
  'identity',
  'contract',
  'activation',
  'manifest',
  'run-request',
  'approval',
  'denial',
  'nonce',
  'offer',
  'evidence',
  'accept',
  'spend',
  'key-release',
  'refusal',
  'start',
  'renewal',
  'receipt',
  'output-keys',
  'fetch',
  'revocation',
  'withdrawal',
] as const

/** The name of a statement, as in its `type` field. */
export type StatementType = (typeof statementTypes)[number]

/** A domain tag; only the table below makes one. */
export type Domain = `sealroom/v1/${string}\n`

/** The tag under which the payload of a statement is digested into its id. */
export function statementDomain(type: StatementType): Domain {
  return `sealroom/v1/statement/${type}\n`
}

/** All tags but those of statements, by purpose. */
export const domains = {
  /** digest of a whole JWS, to which the log's leaf commits */
  signedStatement: 'sealroom/v1/signed-statement\n',
  /** digest of ciphertext of a segment, a sealed request part or an output */
  ciphertext: 'sealroom/v1/ciphertext\n',
  /** digest of the ordered list of Offers of a round */
  offerSet: 'sealroom/v1/offer-set\n',
  /** digest of the hardware's evidence bytes */
  evidenceBytes: 'sealroom/v1/evidence-bytes\n',
  /** digest of the collateral used for a verdict */
  collateral: 'sealroom/v1/collateral\n',
  /** CPU report data: SHA-512 over tag and Offer payload */
  offerBinding: 'sealroom/v1/offer-binding\n',
  /** nonce of evidence that holds no 64 bytes of report data: SHA-256 over tag and report data */
  evidenceNonce: 'sealroom/v1/evidence-nonce\n',
  /** GPU nonce: SHA-256 over tag, Offer without GPU digests, device index */
  gpuBinding: 'sealroom/v1/gpu-binding\n',
  /** id of a GPU: SHA-256 over tag and the subject of its certificate */
  gpuDevice: 'sealroom/v1/gpu-device\n',
  /** pseudonyms of signer and run in log leaves: HMAC under the contract's secret */
  signerPseudonym: 'sealroom/v1/pseudonym/signer\n',
  runPseudonym: 'sealroom/v1/pseudonym/run\n',
  /** HPKE info of a segment key released to an enclave */
  segmentKey: 'sealroom/v1/hpke/segment-key\n',
  /** HPKE info of a request key, to a party and to an enclave */
  requestKey: 'sealroom/v1/hpke/request-key\n',
  /** HPKE info of an output key to a recipient */
  outputKey: 'sealroom/v1/hpke/output-key\n',
  /** chunked-encryption contexts */
  segment: 'sealroom/v1/chunked/segment\n',
  requestPart: 'sealroom/v1/chunked/request-part\n',
  output: 'sealroom/v1/chunked/output\n',
  /** simulated evidence and its measurement */
  simulatedEvidence: 'sealroom/v1/simulated-evidence\n',
  simulatedMeasurement: 'sealroom/v1/simulated-measurement\n',
  /** signed requests to the coordinator */
  requestBody: 'sealroom/v1/request-body\n',
  /** records of an agent's key store and backups */
  keyStore: 'sealroom/v1/key-store\n',
  backup: 'sealroom/v1/backup\n',
} as const satisfies Record<string, Domain>
