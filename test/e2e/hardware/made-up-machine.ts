/**
 * A machine of a made-up AMD with a GPU of a made-up NVIDIA, which sign whatever they are asked to: reports, certificates, and what lies
 * beside the machine in folders.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  collateralAskOf,
  collateralFileName,
  gpuManifestAsksOf,
  gpuManifestName,
  writeCollateral,
  type AmdRoots,
  type Collateral,
  type NvidiaRoots,
} from '#libs/attestation'
import { canonicalBytes, fromHex, toBase64 } from '#libs/canonical'
import {
  FakeAmd,
  fakeCertificateTable,
  FakeNvidia,
  snpField,
  type FakeTsmMachine,
  type SnpForgery,
} from '#libs/testing'

/** The entry of a contract that the machine meets as long as it is honest. */
export const machineEntry = `  - tee: sev-snp
    measurement: ["${'3e'.repeat(48)}"]
    minimumTcb: { bootloader: 4, tee: 1, snp: 24, microcode: 219 }
    maximumAgeSeconds: 300
    generations: [genoa]
    waivedProtections: [singleSocket, aes256Xts, raplDisabled, ciphertextHiding, pageSwapDisabled, aliasCheck]
    gpu: { model: hopper, driver: ["550.90.07"], vbios: ["96.00.5E.00.01"] }
`

const vekId = fromHex('63da758de6644564adc5f4b93be8accd')

export class MadeUpMachine implements FakeTsmMachine {
  readonly provider = 'sev_guest'
  readonly auxiliary: Uint8Array
  readonly roots: AmdRoots
  readonly collateral: Required<Pick<Collateral, 'vek' | 'chain' | 'crl'>>
  /** What every report from now on says beside what it was asked; nothing for an honest machine. */
  lie: (forgery: SnpForgery) => void = () => undefined

  /** What the GPU is really asked with; the worker's nonce for an honest machine. */
  relay: (nonce: Uint8Array) => Uint8Array = (nonce) => nonce
  readonly nvidiaRoots: NvidiaRoots

  private readonly amd = new FakeAmd()
  private readonly nvidia = new FakeNvidia()
  private readonly gpuChain: Uint8Array
  /** By the names of the files that hold them. */
  private readonly manifests: readonly (readonly [file: string, bytes: Uint8Array])[]

  constructor(private readonly now: number) {
    const { vek, chain, crl, root } = this.make(new Uint8Array(64))
    if (crl === undefined) throw new RangeError('a list was drafted')
    this.collateral = { vek, chain, crl }
    this.roots = { milan: [], genoa: [root], turin: [] }
    this.auxiliary = fakeCertificateTable([[vekId, vek]])
    const gpu = this.nvidia.make(this.nvidia.draft(now, new Uint8Array(32)))
    this.gpuChain = gpu.chain
    const published = (['driver', 'vbios'] as const).map((subject) =>
      this.nvidia.makeManifest(this.nvidia.draftManifest(now, subject)),
    )
    this.nvidiaRoots = { deviceRoots: [gpu.root], manifestRoots: published.map(({ root: own }) => own) }
    const shown = canonicalBytes([{ certificate: toBase64(gpu.chain), evidence: toBase64(gpu.report) }])
    this.manifests = gpuManifestAsksOf([shown]).map((ask, at) => {
      const manifest = published[at]?.manifest ?? new Uint8Array()
      return [collateralFileName(ask), writeCollateral([{ [gpuManifestName(ask)]: manifest }])] as const
    })
  }

  /** What NVIDIA's tool prints where it asks the machine's one GPU with a nonce. */
  gpuEvidence(nonce: Uint8Array): string {
    const { report } = this.nvidia.make(this.nvidia.draft(this.now, this.relay(nonce)))
    const told = { evidence: toBase64(report), certificate: toBase64(this.gpuChain) }
    return JSON.stringify({ evidences: [told], result_code: 0, result_message: 'Ok' })
  }

  readonly report = (reportData: Uint8Array): Uint8Array => this.make(reportData).report
  readonly meanwhile = (): void => undefined

  /** The folder beside a worker: what the host does not hand over. */
  async fillWorkerFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'chain.pem'), this.collateral.chain)
    await writeFile(join(folder, 'crl.der'), this.collateral.crl)
    await this.writeManifests(folder)
  }

  /** An agent's folder, as `sealroom attest fetch-collateral` fills it. */
  async fillAgentFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const ask = collateralAskOf({ kind: 'sev-snp', bytes: this.report(new Uint8Array(64)) })
    if (ask === null) throw new RangeError('a report asks for collateral')
    await writeFile(join(folder, collateralFileName(ask)), writeCollateral([this.collateral]))
    await this.writeManifests(folder)
  }

  private async writeManifests(folder: string): Promise<void> {
    await Promise.all(this.manifests.map(([file, bytes]) => writeFile(join(folder, file), bytes)))
  }

  private make(reportData: Uint8Array) {
    const forgery = this.amd.draft(this.now)
    forgery.crl = this.amd.draftList(forgery)
    forgery.report.set(reportData, snpField.reportData)
    this.lie(forgery)
    return this.amd.make(forgery)
  }
}
