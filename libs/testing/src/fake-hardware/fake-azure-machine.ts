/** Azure confidential VMs of a made-up AMD or Intel, whole: hardware report, paravisor, vTPM, and the collateral below. */
import { concatBytes, utf8 } from '#libs/canonical'
import { FakeAmd, snpField, type SnpForgery } from './fake-amd.js'
import {
  azureJson,
  draftAzure,
  makeAzure,
  makeVtpmKey,
  runtimeReportData,
  type AzureForgery,
} from './fake-azure.js'
import { FakeIntel, type QuoteForgery } from './fake-intel.js'
import { tdField } from './fake-quote.js'

/** What can be changed before a VM is made. */
export interface AzureMachineForgery<Hardware> {
  readonly azure: AzureForgery
  readonly hardware: Hardware
  /** Null: the hash of the runtime data. */
  reportData: Uint8Array | null
  /** What becomes of the document before it is written. */
  onTheWay: (document: Record<string, unknown>) => Record<string, unknown>
}

/** Evidence as a worker hands it over. */
export interface AzureMachineEvidence {
  readonly document: Uint8Array
  readonly collateral: Readonly<Record<string, Uint8Array>>
  readonly root: string
}

/** One vTPM on fake hardware. */
export class FakeAzureMachine {
  readonly key = makeVtpmKey()
  readonly amd = new FakeAmd()
  readonly intel = new FakeIntel()

  /** A genuine VM on SEV-SNP whose vTPM quotes this nonce. */
  draftSnp(now: number, nonce: Uint8Array): AzureMachineForgery<SnpForgery> {
    const hardware = this.amd.draft(now, 'milan')
    hardware.crl = this.amd.draftList(hardware)
    return { azure: this.#azure(2, nonce), hardware, reportData: null, onTheWay: (document) => document }
  }

  /** A genuine VM on TDX. */
  draftTdx(now: number, nonce: Uint8Array): AzureMachineForgery<QuoteForgery> {
    const hardware = this.intel.draft(now)
    return { azure: this.#azure(4, nonce), hardware, reportData: null, onTheWay: (document) => document }
  }

  /** Makes a VM on SEV-SNP; the document holds no certificate. */
  makeSnp({ azure, hardware, reportData, onTheWay }: AzureMachineForgery<SnpForgery>): AzureMachineEvidence {
    hardware.report.set(reportData ?? runtimeReportData(azure), snpField.reportData)
    const { report, root, ...collateral } = this.amd.make(hardware)
    azure.hardwareReport = report
    const document = utf8(JSON.stringify(onTheWay(azureJson(makeAzure(azure), 1, {}))))
    return { document, collateral, root }
  }

  /** Makes a VM on TDX. */
  makeTdx({
    azure,
    hardware,
    reportData,
    onTheWay,
  }: AzureMachineForgery<QuoteForgery>): AzureMachineEvidence {
    const vouched = reportData ?? runtimeReportData(azure)
    hardware.body.set(vouched, tdField.reportData)
    const { quote, root, collateral } = this.intel.make(hardware)
    // TDREPORT_STRUCT: REPORTDATA, and TDINFO.
    const tdReport = concatBytes(azure.hardwareReport)
    tdReport.set(vouched, 128)
    tdReport.set(hardware.body.subarray(tdField.tdAttributes, tdField.reportData), 512)
    azure.hardwareReport = tdReport
    const document = utf8(JSON.stringify(onTheWay(azureJson(makeAzure(azure), 1, { tdQuote: quote }))))
    return { document, collateral, root }
  }

  #azure(reportType: 2 | 4, nonce: Uint8Array): AzureForgery {
    return { ...draftAzure(reportType, this.key), nonce }
  }
}

/** Fields of a contract's entry that name the registers of {@link draftAzure}, as YAML. */
export const fakeRegisters: readonly string[] = Array.from({ length: 16 }, (_, n) =>
  n.toString(16).padStart(2, '0').repeat(32),
)
