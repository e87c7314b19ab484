/** What is tried on a machine with a TEE. Each trial stands alone, so that one that fails hides no other. */
import { randomBytes } from 'node:crypto'
import {
  evidenceDigest,
  gpuNonce,
  inspectUnverified,
  offerReportData,
  verifyEnclave,
  type AttestationErrorCode,
  type Evidence,
} from '#libs/attestation'
import { canonicalBytes, CodedError, toHex, type JsonValue } from '#libs/canonical'
import { detectSandbox, startEngine } from '#libs/engine'
import { rehearse } from '../../apps/enclave/src/rehearse.js'
import type { EvidenceSource } from '../../apps/enclave/src/tee.js'

/** One thing that was tried; `failure` is null where it came out as it must. */
export interface Trial {
  readonly what: string
  readonly failure: string | null
}

export interface Trying {
  /** How many GPUs are asked too. */
  readonly gpus: number
  /** The machine's own clock, in milliseconds: certificates are looked at for that time. */
  readonly now: number
}

/** Tries everything, and tells each in its order. */
export async function tryHardware(source: EvidenceSource, { gpus, now }: Trying): Promise<readonly Trial[]> {
  const other = await shownOffer(source, now, 'another')
  return [
    await trial('its evidence over an Offer meets the entry that is proposed for it', async () => {
      const { offer, evidence } = await shownOffer(source, now, 'this')
      await judge(source, offer, evidence, now)
    }),
    await refused('evidence over another Offer', 'BINDING_MISMATCH', async () => {
      const { offer } = await shownOffer(source, now, 'this')
      await judge(source, offer, other.evidence, now)
    }),
    await refused('evidence with one bit changed', null, async () => {
      const { offer, evidence } = await shownOffer(source, now, 'this')
      const bytes = evidence.bytes.slice()
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
      await judge(source, offer, { ...evidence, bytes }, now)
    }),
    await refused('evidence without its collateral', 'COLLATERAL_MISSING', async () => {
      const { offer, evidence } = await shownOffer(source, now, 'this')
      await judge(source, offer, { ...evidence, collateral: {} }, now)
    }),
    ...(gpus === 0
      ? []
      : [await trial('its GPUs and its CPU are proven together', () => judgeWithGpus(source, gpus, now))]),
    await trial('a made-up run goes through, up to its sealed output', () => rehearseHere(source, now)),
  ]
}

async function shownOffer(
  source: EvidenceSource,
  now: number,
  run: string,
): Promise<{ readonly offer: Uint8Array; readonly evidence: Evidence }> {
  const offer = canonicalBytes(offerFor(source, now, run))
  return { offer, evidence: await source.evidence(offerReportData(offer), now, []) }
}

/** What evidence is bound to of an Offer, and no more: nobody is shown it. */
function offerFor({ measurement }: EvidenceSource, now: number, run: string): Record<string, JsonValue> {
  const issuedAt = new Date(now).toISOString()
  return {
    type: 'offer',
    enclave: 0,
    issuedAt,
    build: { measurement },
    gpuEvidence: null,
    run,
    salt: toHex(randomBytes(16)),
  }
}

async function judge(
  source: EvidenceSource,
  offer: Uint8Array,
  evidence: Evidence,
  now: number,
): Promise<void> {
  const { verifiers, gpus } = source.hardware
  await verifyEnclave({ offer, evidence, enclaves: [await source.entryAt(now)], now }, verifiers, gpus)
}

/** The GPUs with the CPU as one: asked for an Offer, named in it, covered by the CPU's report, compared with NVIDIA's manifests. */
async function judgeWithGpus(source: EvidenceSource, count: number, now: number): Promise<void> {
  const draft = offerFor(source, now, 'gpus')
  const nonces = Array.from({ length: count }, (_, device) => gpuNonce(canonicalBytes(draft), device))
  const gpu = await source.gpuEvidence(nonces)
  const offer = canonicalBytes({ ...draft, gpuEvidence: gpu.map(evidenceDigest) })
  const evidence = await source.evidence(offerReportData(offer), now, gpu)
  const entry = { ...(await source.entryAt(now)), gpu: { ...wordsOf(gpu), devices: count } }
  const { verifiers, gpus } = source.hardware
  await verifyEnclave({ offer, evidence, enclaves: [entry], now }, verifiers, gpus)
}

/** Model, drivers and VBIOSes as the GPUs tell them, as people would write them into a contract. */
function wordsOf(gpu: readonly Uint8Array[]): Record<'model' | 'driver' | 'vbios', JsonValue> {
  const told = gpu.flatMap((bytes) => {
    const { gpus } = inspectUnverified(bytes, 'nvidia-gpu').unverifiedFacts
    return gpus as unknown as readonly { certificate: string; driver: string; vbios: string }[]
  })
  return {
    model: told.some(({ certificate }) => certificate.startsWith('GB')) ? 'blackwell' : 'hopper',
    driver: [...new Set(told.map(({ driver }) => driver))],
    vbios: [...new Set(told.map(({ vbios }) => vbios))],
  }
}

async function rehearseHere(source: EvidenceSource, now: number): Promise<void> {
  const { mode } = await detectSandbox()
  const parser = await startEngine({ limits: { threads: 1 } })
  try {
    const build = { name: 'sealroom-enclave', version: 'test', measurement: source.measurement }
    const random = (length: number) => new Uint8Array(randomBytes(length))
    await rehearse({ source, build, sandbox: mode }, parser, random, now)
  } finally {
    await parser.close()
  }
}

async function trial(what: string, act: () => Promise<void>): Promise<Trial> {
  try {
    await act()
    return { what, failure: null }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return { what, failure: `${String(error.code)}: ${error.message}` }
  }
}

/** Null: whatever code, as long as it is refused. */
async function refused(
  what: string,
  code: AttestationErrorCode | null,
  act: () => Promise<void>,
): Promise<Trial> {
  const { failure } = await trial(what, act)
  const isRefused = failure !== null && (code === null || failure.startsWith(`${code}:`))
  const seen = failure ?? 'it was accepted'
  return {
    what: `${what} is refused`,
    failure: isRefused ? null : `expected ${code ?? 'a refusal'}; seen ${seen}`,
  }
}
