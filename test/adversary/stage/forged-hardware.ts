/**
 * Machines of a made-up AMD, Intel and AWS, and an agent that trusts them. Their roots are given to the verifiers here, in code: no file
 * that an agent reads can name a root, so that nothing outside a test comes by one.
 */
import {
  azureSnpVerifierWith,
  azureTdxVerifierWith,
  collateralAskOf,
  collateralName,
  evidenceNonce,
  evidenceVerifiers,
  gpuManifestAsksOf,
  gpuManifestName,
  nitroVerifierWith,
  nvidiaGpuVerifierWith,
  sevSnpVerifierWith,
  tdxVerifierWith,
  type Collateral,
  type CollateralSource,
  type Evidence,
  type EvidenceVerifier,
} from '#libs/attestation'
import { canonicalBytes, toBase64, toHex } from '#libs/canonical'
import {
  fakeAudience,
  FakeAmd,
  FakeAws,
  FakeAzureMachine,
  fakeConfidentialSpace,
  FakeIntel,
  fakeMaaIssuer,
  fakeMaaNested,
  fakeMaaPolicyHash,
  fakeMaaSnp,
  FakeNvidia,
  fakeRegisters,
  FakeTokenIssuer,
  snpField,
  tdField,
  type AzureMachineForgery,
  type FakeClaims,
  type GpuForgery,
  type OfferOptions,
  type ManifestForgery,
  type NitroForgery,
  type QuoteForgery,
  type SnpForgery,
} from '#libs/testing'
import { utf8 } from '#libs/canonical'

/** Evidence over report data, and the measurement that an honest Offer of this machine names. */
export interface ForgedMachine {
  readonly enclave: number
  readonly measurement: string
  readonly hardware: (reportData: Uint8Array) => Pick<Evidence, 'kind' | 'bytes'>
  /** GPUs beside it, in the order of their places. */
  readonly gpus?: readonly ForgedGpu[]
}

/** A GPU: its evidence over a nonce. */
export type ForgedGpu = (nonce: Uint8Array) => Uint8Array
const registerLines = fakeRegisters.map((value, index) => `    pcr${index}: ["${value}"]`).join('\n')

/** Entries of a contract that the machines below meet, in this order. */
export const forgedEntries = `  - tee: sev-snp
    measurement: ["${'3e'.repeat(48)}"]
    minimumTcb: { bootloader: 4, tee: 1, snp: 24, microcode: 219 }
    maximumAgeSeconds: 300
    generations: [genoa]
    minimumGuestSvn: 7
    waivedProtections: [singleSocket, aes256Xts, raplDisabled, ciphertextHiding, pageSwapDisabled, aliasCheck]
  - tee: tdx
    measurement: ["${'d1'.repeat(48)}"]
    rtmr0: ["RTMR0"]
    rtmr1: ["RTMR1"]
    rtmr2: ["RTMR2"]
    rtmr3: ["RTMR3"]
    minimumTcb: { evaluationDataNumber: 17 }
    maximumAgeSeconds: 300
  - tee: nitro
    measurement: ["${'01'.repeat(48)}"]
    maximumAgeSeconds: 300
  - tee: az-snp-vtpm
    measurement: ["${'3e'.repeat(48)}"]
    minimumTcb: { bootloader: 4, tee: 1, snp: 24, microcode: 219 }
    maximumAgeSeconds: 300
    generations: [milan]
    waivedProtections: [singleSocket, aes256Xts, raplDisabled, ciphertextHiding, pageSwapDisabled, aliasCheck]
${registerLines}
  - tee: az-tdx-vtpm
    measurement: ["${'d1'.repeat(48)}"]
    rtmr0: ["RTMR0"]
    rtmr1: ["RTMR1"]
    rtmr2: ["RTMR2"]
    rtmr3: ["RTMR3"]
    minimumTcb: { evaluationDataNumber: 17 }
    maximumAgeSeconds: 300
${registerLines}
  - tee: maa-snp
    issuer: ${fakeMaaIssuer}
    keys: ["SERVICE"]
    policyHash: ["${fakeMaaPolicyHash}"]
    measurement: ["${'3e'.repeat(48)}"]
    minimumTcb: { bootloader: 4, tee: 1, snp: 24, microcode: 219 }
    maximumAgeSeconds: 300
    generations: [genoa]
    hostData: ["${'ab'.repeat(32)}"]
    waivedProtections: [singleSocket, aes256Xts, raplDisabled, ciphertextHiding, pageSwapDisabled, aliasCheck]
  - tee: gcp-cs
    measurement: ["${'1d'.repeat(32)}"]
    audience: ${fakeAudience}
    keys: ["SERVICE"]
    hardware: [GCP_AMD_SEV_SNP]
    maximumAgeSeconds: 300
  - tee: sev-snp
    measurement: ["${'3e'.repeat(48)}"]
    minimumTcb: { bootloader: 4, tee: 1, snp: 24, microcode: 219 }
    maximumAgeSeconds: 300
    generations: [genoa]
    waivedProtections: [singleSocket, aes256Xts, raplDisabled, ciphertextHiding, pageSwapDisabled, aliasCheck]
    gpu: { model: hopper, driver: ["550.90.07"], vbios: ["96.00.5E.00.01"] }
`

/** A contract's text with the entries that the made-up machines meet in place of the simulator's. */
export function withForgedEntries({ intel, service, now }: ForgedHardware, text: string): string {
  const { body } = intel.draft(now)
  const rtmrs = [tdField.rtmr0, tdField.rtmr1, tdField.rtmr2, tdField.rtmr3]
  const rtmr = (at: number) => toHex(body.subarray(at, at + 48))
  const entries = forgedEntries
    .replaceAll('SERVICE', service.thumbprint)
    .replace(/RTMR(\d)/g, (_, n: string) => rtmr(rtmrs[Number(n)] ?? 0))
  return text.replace(/ {2}- \{ tee: simulated[^\n]*\n/, entries)
}

/** What an Offer of a machine is made of. */
export function offeredBy(
  { enclave, measurement, hardware, gpus = [] }: ForgedMachine,
  change: object = {},
): Partial<OfferOptions> {
  const build = { name: 'sealroom-enclave', version: '0', measurement }
  return { hardware, gpus, change: { enclave, build, ...change } }
}

const nothing = (): void => undefined

/** Makes evidence and publishes the collateral that goes with it. */
export class ForgedHardware implements CollateralSource {
  readonly amd = new FakeAmd()
  readonly intel = new FakeIntel()
  readonly aws = new FakeAws()
  readonly azure = new FakeAzureMachine()
  /** A service whose keys the contract names. */
  readonly service = new FakeTokenIssuer('RS256')
  readonly strangerService = new FakeTokenIssuer('RS256')
  readonly nvidia = new FakeNvidia()
  private readonly published = new Map<string, Collateral>()
  private readonly amdRoots = { milan: [] as string[], genoa: [] as string[], turin: [] as string[] }
  private readonly intelRoots: string[] = []
  private readonly awsRoots: string[] = []
  private readonly nvidiaRoots = { deviceRoots: [] as string[], manifestRoots: [] as string[] }

  /** Certificates of a root are made anew each time, so that what is pinned grows with what is made. */
  readonly verifiers: readonly EvidenceVerifier[] = [
    sevSnpVerifierWith(this.amdRoots),
    tdxVerifierWith(this.intelRoots),
    nitroVerifierWith(this.awsRoots),
    azureSnpVerifierWith(this.amdRoots),
    azureTdxVerifierWith(this.intelRoots),
    // Tokens rest on keys that the contract names, and on no root.
    ...evidenceVerifiers.filter(({ kind }) => kind === 'maa-snp' || kind === 'gcp-cs'),
  ]
  readonly gpus = nvidiaGpuVerifierWith(this.nvidiaRoots)

  constructor(readonly now: number) {}

  find: CollateralSource['find'] = (ask) => Promise.resolve(this.published.get(collateralName(ask)))

  /** A guest on SEV-SNP. `isTrusted: false`: its root is nobody's. */
  snp(change: (forgery: SnpForgery) => void = nothing, { isTrusted = true } = {}): ForgedMachine {
    const hardware = (reportData: Uint8Array) => {
      const forgery = this.amd.draft(this.now)
      forgery.crl = this.amd.draftList(forgery)
      forgery.report.set(reportData, snpField.reportData)
      change(forgery)
      const { report, root, ...collateral } = this.amd.make(forgery)
      if (isTrusted) this.amdRoots.genoa.push(root)
      return this.publish({ kind: 'sev-snp', bytes: report }, collateral)
    }
    return { enclave: 0, measurement: '3e'.repeat(48), hardware }
  }

  /** A trust domain on TDX. */
  tdx(change: (forgery: QuoteForgery) => void = nothing, { isTrusted = true } = {}): ForgedMachine {
    const hardware = (reportData: Uint8Array) => {
      const forgery = this.intel.draft(this.now)
      forgery.body.set(reportData, tdField.reportData)
      change(forgery)
      const { quote, root, collateral } = this.intel.make(forgery)
      if (isTrusted) this.intelRoots.push(root)
      return this.publish({ kind: 'tdx', bytes: quote }, collateral)
    }
    return { enclave: 1, measurement: 'd1'.repeat(48), hardware }
  }

  /** A Nitro enclave. */
  nitro(change: (forgery: NitroForgery) => void = nothing, { isTrusted = true } = {}): ForgedMachine {
    const hardware = (reportData: Uint8Array) => {
      const forgery = this.aws.draft(this.now)
      forgery.payload['user_data'] = reportData
      change(forgery)
      const { document, root } = this.aws.make(forgery)
      if (isTrusted) this.awsRoots.push(root)
      return { kind: 'nitro', bytes: document } as const
    }
    return { enclave: 2, measurement: '01'.repeat(48), hardware }
  }

  /** A VM of Azure on SEV-SNP. */
  azureSnp(change: (forgery: AzureMachineForgery<SnpForgery>) => void = nothing): ForgedMachine {
    const hardware = (reportData: Uint8Array) => {
      const forgery = this.azure.draftSnp(this.now, evidenceNonce(reportData))
      change(forgery)
      const { document, root, collateral } = this.azure.makeSnp(forgery)
      this.amdRoots.milan.push(root)
      return this.publish({ kind: 'az-snp-vtpm', bytes: document }, collateral)
    }
    return { enclave: 3, measurement: '3e'.repeat(48), hardware }
  }

  /** A VM of Azure on TDX. */
  azureTdx(change: (forgery: AzureMachineForgery<QuoteForgery>) => void = nothing): ForgedMachine {
    const hardware = (reportData: Uint8Array) => {
      const forgery = this.azure.draftTdx(this.now, evidenceNonce(reportData))
      change(forgery)
      const { document, root, collateral } = this.azure.makeTdx(forgery)
      this.intelRoots.push(root)
      return this.publish({ kind: 'az-tdx-vtpm', bytes: document }, collateral)
    }
    return { enclave: 4, measurement: 'd1'.repeat(48), hardware }
  }

  /** A token of Azure's service about SEV-SNP; `nested` is the guest's own. */
  maa(
    change: (claims: FakeClaims) => FakeClaims = (claims) => claims,
    { nested = false, by = this.service } = {},
  ): ForgedMachine {
    const hardware = (reportData: Uint8Array) => {
      const claims = fakeMaaSnp(reportData)
      const token = nested ? fakeMaaNested(claims, evidenceNonce(reportData)) : claims
      return this.publishToken('maa-snp', change(token), by)
    }
    return { enclave: 5, measurement: '3e'.repeat(48), hardware }
  }

  /** A token of Google's service. */
  space(
    change: (claims: FakeClaims) => FakeClaims = (claims) => claims,
    { by = this.service } = {},
  ): ForgedMachine {
    const hardware = (reportData: Uint8Array) =>
      this.publishToken('gcp-cs', change(fakeConfidentialSpace(evidenceNonce(reportData))), by)
    return { enclave: 6, measurement: '1d'.repeat(32), hardware }
  }

  private publishToken(kind: 'maa-snp' | 'gcp-cs', claims: FakeClaims, by: FakeTokenIssuer) {
    const bytes = utf8(by.make(by.draft(this.now, claims)))
    return this.publish({ kind, bytes }, { jwks: by.keySet() })
  }

  /** The first machine with these GPUs in it. */
  withGpus(...gpus: readonly ForgedGpu[]): ForgedMachine {
    return { ...this.snp(), enclave: 7, gpus }
  }

  /** A GPU whose manifests NVIDIA publishes. `isTrusted: false`: its root is nobody's. */
  gpu(
    change: (forgery: GpuForgery) => void = nothing,
    changeManifest: (forgery: ManifestForgery) => void = nothing,
    { isTrusted = true } = {},
  ): ForgedGpu {
    return (nonce) => {
      const forgery = this.nvidia.draft(this.now, nonce)
      change(forgery)
      const { report, chain, root } = this.nvidia.make(forgery)
      if (isTrusted) this.nvidiaRoots.deviceRoots.push(root)
      const evidence = canonicalBytes([{ certificate: toBase64(chain), evidence: toBase64(report) }])
      for (const ask of gpuManifestAsksOf([evidence])) {
        const draft = this.nvidia.draftManifest(this.now, ask.id.includes('DRIVER') ? 'driver' : 'vbios')
        changeManifest(draft)
        const made = this.nvidia.makeManifest(draft)
        if (isTrusted) this.nvidiaRoots.manifestRoots.push(made.root)
        this.published.set(collateralName(ask), { [gpuManifestName(ask)]: made.manifest })
      }
      return evidence
    }
  }

  private publish(evidence: Pick<Evidence, 'kind' | 'bytes'>, collateral: Collateral) {
    const ask = collateralAskOf(evidence)
    if (ask !== null) this.published.set(collateralName(ask), collateral)
    return evidence
  }
}
