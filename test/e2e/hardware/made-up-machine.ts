/** A machine of a made-up AMD that signs whatever it is asked to: its reports, its certificates, and what lies beside it in folders. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  collateralAskOf,
  collateralFileName,
  writeCollateral,
  type AmdRoots,
  type Collateral,
} from '#libs/attestation'
import { fromHex } from '#libs/canonical'
import { FakeAmd, fakeCertificateTable, snpField, type FakeTsmMachine, type SnpForgery } from '#libs/testing'

/** The entry of a contract that the machine meets as long as it is honest. */
export const machineEntry = `  - tee: sev-snp
    measurement: ["${'3e'.repeat(48)}"]
    minimumTcb: { bootloader: 4, tee: 1, snp: 24, microcode: 219 }
    maximumAgeSeconds: 300
    generations: [genoa]
    waivedProtections: [singleSocket, aes256Xts, raplDisabled, ciphertextHiding, pageSwapDisabled, aliasCheck]
`

const vekId = fromHex('63da758de6644564adc5f4b93be8accd')

export class MadeUpMachine implements FakeTsmMachine {
  readonly provider = 'sev_guest'
  readonly auxiliary: Uint8Array
  readonly roots: AmdRoots
  readonly collateral: Required<Pick<Collateral, 'vek' | 'chain' | 'crl'>>
  /** What every report from now on says beside what it was asked; nothing for an honest machine. */
  lie: (forgery: SnpForgery) => void = () => undefined

  private readonly amd = new FakeAmd()

  constructor(private readonly now: number) {
    const { vek, chain, crl, root } = this.make(new Uint8Array(64))
    if (crl === undefined) throw new RangeError('a list was drafted')
    this.collateral = { vek, chain, crl }
    this.roots = { milan: [], genoa: [root], turin: [] }
    this.auxiliary = fakeCertificateTable([[vekId, vek]])
  }

  readonly report = (reportData: Uint8Array): Uint8Array => this.make(reportData).report
  readonly meanwhile = (): void => undefined

  /** The folder beside a worker: what the host does not hand over. */
  async fillWorkerFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'chain.pem'), this.collateral.chain)
    await writeFile(join(folder, 'crl.der'), this.collateral.crl)
  }

  /** An agent's folder, as `sealroom attest fetch-collateral` fills it. */
  async fillAgentFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const ask = collateralAskOf({ kind: 'sev-snp', bytes: this.report(new Uint8Array(64)) })
    if (ask === null) throw new RangeError('a report asks for collateral')
    await writeFile(join(folder, collateralFileName(ask)), writeCollateral([this.collateral]))
  }

  private make(reportData: Uint8Array) {
    const forgery = this.amd.draft(this.now)
    forgery.crl = this.amd.draftList(forgery)
    forgery.report.set(reportData, snpField.reportData)
    this.lie(forgery)
    return this.amd.make(forgery)
  }
}
