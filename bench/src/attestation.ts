/**
 * How long a verdict on evidence of hardware takes on one core, from bytes to verdict: certificates and lists are read anew each time, and no
 * parsed collateral is kept between two; and whether ten thousand of them keep memory. Over captured evidence, since TDX is measured beside
 * another verifier, which knows no fakes; a release demands AMD's revocation list besides, of which none is captured, so that its
 * row is over made-up evidence.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verify, type Collateral } from '@phala/dcap-qvl'
import {
  Checklist,
  judgeGpus,
  judgeSnpReport,
  judgeTdxQuote,
  nvidiaDeviceRoots,
  nvidiaRimRoots,
  sevSnpVerifierWith,
  type EvidenceVerdict,
} from '#libs/attestation'
import { aClock, evidenceFolder, FakeAmd } from '#libs/testing'
import type { BenchRow } from './row.js'

const warmUp = 100
const counted = 300
const forMemory = 10_000

/** One row a kind; none where the folder of captured evidence is not named. */
export async function benchAttestation(): Promise<readonly BenchRow[]> {
  if (evidenceFolder === undefined) {
    process.stderr.write('SEALROOM_EVIDENCE names no folder: nothing is measured\n')
    return []
  }
  const read = (path: string): Uint8Array => new Uint8Array(readFileSync(join(evidenceFolder ?? '', path)))
  const snp = {
    report: read('snp/coco_test_report.bin'),
    vek: read('snp/coco_test_vcek.der'),
    chain: read('anchors/amd_milan_ask_ark_asvk.pem'),
  }
  const snpVerdict = () => judgeSnpReport(snp, { at: Date.parse('2026-07-01T00:00:00Z') })
  const tdx = { quote: read('tdx/phala_tdx_quote'), collateral: read('tdx/phala_tdx_quote_collateral.json') }
  const tdxAt = Date.parse('2025-06-19T11:16:03Z')
  const gpu = read('nvidia-gpu/nvsdk_hopper_evidence.json')
  const gpuTrust = {
    at: Date.parse('2026-07-01T00:00:00Z'),
    deviceRoots: nvidiaDeviceRoots,
    manifestRoots: nvidiaRimRoots,
  }

  const snpTime = await millisecondsOf(() => expectProduction(snpVerdict()))
  const tdxTime = await millisecondsOf(() => expectProduction(judgeTdxQuote(tdx, { at: tdxAt })))
  const peer = await millisecondsOf(() => otherVerdict(tdx, tdxAt))
  const gpuTime = await millisecondsOf(() =>
    expectProduction(
      judgeGpus({ format: 'nvsdk-json', evidence: gpu }, { nonce: null, manifests: [] }, gpuTrust),
    ),
  )
  const releaseTime = await millisecondsOf(releaseVerdict())
  const growth = await megabytesKept(() => expectProduction(snpVerdict()))
  return [
    row('SEV-SNP report with its chain, no revocation list', snpTime, 2),
    row('SEV-SNP report as for a release, with its chain and revocation list', releaseTime, 2),
    row('TDX quote with its collateral', tdxTime, 10, peer),
    row('GPU report with its chain', gpuTime, 5),
    {
      what: `memory kept after ${forMemory} SNP verdicts`,
      measured: `${growth.toFixed(1)} MB`,
      peer: 'none',
      ratio: '–',
      aim: 'at most 8 MB',
      met: growth <= 8,
    },
  ]
}

/** Authentication as for a release, by keys as long as AMD's. */
function releaseVerdict(): () => Promise<void> {
  const { now } = aClock()
  const amd = new FakeAmd({ bits: 4096 })
  const draft = amd.draft(now())
  const { report, root, ...collateral } = amd.make({ ...draft, crl: amd.draftList(draft) })
  const verifier = sevSnpVerifierWith({ milan: [], genoa: [root], turin: [] })
  return async () => {
    const context = { now: now(), checklist: new Checklist() }
    await verifier.authenticate({ kind: 'sev-snp', bytes: report, collateral }, context)
  }
}

function row(what: string, measured: number, aim: number, peer?: number): BenchRow {
  return {
    what: `${what}, one core`,
    measured: `${measured.toFixed(2)} ms`,
    peer: peer === undefined ? 'none' : `@phala/dcap-qvl ${peer.toFixed(2)} ms`,
    ratio: peer === undefined ? '–' : (measured / peer).toFixed(2),
    aim: `under ${aim} ms${peer === undefined ? '' : ', not slower than the peer'}`,
    met: measured < aim && (peer === undefined || measured <= peer),
  }
}

/** Processor time of all threads, of the middle of five rounds. */
async function millisecondsOf(act: () => Promise<void>): Promise<number> {
  for (let n = 0; n < warmUp; n++) await act()
  const rounds: number[] = []
  for (let round = 0; round < 5; round++) {
    const began = process.cpuUsage()
    for (let n = 0; n < counted / 5; n++) await act()
    const { user, system } = process.cpuUsage(began)
    rounds.push((user + system) / 1000 / (counted / 5))
  }
  return rounds.sort((a, b) => a - b)[2] ?? Number.NaN
}

async function megabytesKept(act: () => Promise<void>): Promise<number> {
  const before = used()
  for (let n = 0; n < forMemory; n++) await act()
  return (used() - before) / 1_048_576
}

function used(): number {
  if (globalThis.gc === undefined) throw new Error('memory is measured with --expose-gc')
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function expectProduction(verdict: Promise<EvidenceVerdict>): Promise<void> {
  const { production, reason } = await verdict
  if (!production) throw new Error(`genuine evidence was refused: ${reason ?? ''}`)
}

async function otherVerdict(files: { quote: Uint8Array; collateral: Uint8Array }, at: number): Promise<void> {
  const collateral = JSON.parse(new TextDecoder().decode(files.collateral)) as Collateral
  const { status } = await Promise.resolve(
    verify(Buffer.from(files.quote), collateral, Math.floor(at / 1000)),
  )
  if (status !== 'UpToDate') throw new Error(`the other verifier says ${status}`)
}
