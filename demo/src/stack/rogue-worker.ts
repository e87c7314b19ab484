/**
 * A worker that lies, as a hostile operator would enrol it: it takes a run and makes an Offer that is wrong in one way. It holds
 * the simulator's key, so its evidence is as good as a genuine machine's that runs another program or that was asked before.
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { issueSimulatedEvidence } from '#libs/attestation/simulator'
import { evidenceDigest, offerReportData } from '#libs/attestation'
import {
  fromBase64url,
  payloadBytes,
  saltFrom,
  signingKeyFromSeed,
  signStatement,
  statementId,
  toBase64url,
  unverifiedStatement,
  type SigningKey,
} from '#libs/canonical'
import { CoordinatorClient } from '#libs/client'
import { generateSealingKeyPair } from '#libs/envelope'
import {
  evidenceKind,
  nonceSchema,
  offerKind,
  runRequestSchema,
  type Assignment,
  type Offer,
} from '#libs/protocol'
import type { Stack } from './stack.js'

/** How the Offer is wrong. */
export type Trick = 'swappedKey' | 'otherMeasurement' | 'otherSimulator'

/** The measurement of some other program. */
const otherMeasurement = 'ab'.repeat(32)

const random = (length: number) => new Uint8Array(randomBytes(length))

/** Takes the next run and offers itself for it. */
export async function offerRogueEnclave(stack: Stack, trick: Trick): Promise<void> {
  const key = await signingKeyFromSeed(random(32))
  const { client, origin } = connect(stack, key)
  const enrolment = (await readFile(join(stack.folder, 'coordinator/enrolment'), 'utf8')).trim()
  await client.registerWorker({
    key: key.publicKey,
    tee: 'simulated',
    measurement: stack.measurement,
    enrolment,
  })
  const assignment = await untilSomething(() => client.assignment(20))
  const nonces = await collectNonces(client, assignment)
  const receiptKey = await signingKeyFromSeed(random(32))
  const honest = await honestOffer(stack, assignment, nonces, origin, receiptKey)
  const offer = await signStatement(offerKind, bend(honest, trick), receiptKey)
  const bytes = await evidenceFor(
    stack,
    trick,
    payloadBytes(offer),
    await signStatement(offerKind, honest, receiptKey).then(payloadBytes),
  )
  const evidence = await signStatement(
    evidenceKind,
    {
      ...common('evidence', receiptKey, origin),
      contract: honest.contract,
      run: honest.run,
      round: honest.round,
      offer: offer.id,
      kind: 'simulated',
      evidenceDigest: evidenceDigest(bytes),
    },
    receiptKey,
  )
  await client.record(offer.jws)
  await client.record(evidence.jws, { attachment: toBase64url(bytes) })
}

function bend(offer: Offer, trick: Trick): Offer {
  return trick === 'otherMeasurement'
    ? { ...offer, build: { ...offer.build, measurement: otherMeasurement } }
    : offer
}

async function evidenceFor(
  stack: Stack,
  trick: Trick,
  offer: Uint8Array,
  another: Uint8Array,
): Promise<Uint8Array> {
  const seed = fromBase64url((await readFile(join(stack.folder, 'operator/simulator.key'), 'utf8')).trim())
  const key = await signingKeyFromSeed(trick === 'otherSimulator' ? random(32) : seed)
  // The genuine enclave vouched for its own Offer; the coordinator puts another key in its place and shows the same evidence.
  const covered =
    trick === 'swappedKey'
      ? Uint8Array.from(another, (byte, index) => (index === another.length - 1 ? byte ^ 1 : byte))
      : offer
  const measurement = trick === 'otherMeasurement' ? otherMeasurement : stack.measurement
  return (
    await issueSimulatedEvidence({
      key,
      measurement,
      reportData: offerReportData(covered),
      issuedAt: Date.now(),
    })
  ).bytes
}

async function honestOffer(
  stack: Stack,
  { run, contract }: Assignment,
  nonces: Record<string, string>,
  origin: string,
  receiptKey: SigningKey,
): Promise<Offer> {
  const sealing = await generateSealingKeyPair(random)
  const identities = contract.identities.map(
    ({ thumbprint, statements }) => [thumbprint, idOf(statements.at(-1) ?? '')] as const,
  )
  return {
    ...common('offer', receiptKey, origin),
    contract: contract.id,
    run: run.id,
    round: run.round,
    enclave: 0,
    place: 0,
    places: 1,
    hpkeKey: sealing.publicKey,
    receiptKey: receiptKey.publicKey,
    nonces,
    identities: Object.fromEntries(identities),
    shareHolders: [],
    build: { name: 'sealroom-enclave', version: '0.1.0', measurement: stack.measurement },
    sandbox: 'bubblewrap',
    gpuEvidence: null,
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
  }
}

async function collectNonces(
  client: CoordinatorClient,
  { run }: Assignment,
): Promise<Record<string, string>> {
  const view = await untilSomething(async () => {
    const seen = await client.workerRun(run.id, 0, 5)
    const request = seen?.statements.find(({ type }) => type === 'run-request')
    if (seen === null || request === undefined) return null
    const owners = new Set(
      runRequestSchema.parse(unverifiedStatement(request.statement).payload).inputs.map(({ owner }) => owner),
    )
    const given = seen.statements.filter(
      ({ type, statement }) =>
        type === 'nonce' && nonceSchema.parse(unverifiedStatement(statement).payload).round === run.round,
    )
    return given.length >= owners.size ? given : null
  })
  return Object.fromEntries(
    view.map(({ statement }) => {
      const { by, nonce } = nonceSchema.parse(unverifiedStatement(statement).payload)
      return [by, nonce]
    }),
  )
}

function connect(stack: Stack, key: SigningKey): { client: CoordinatorClient; origin: string } {
  const client = new CoordinatorClient({
    url: stack.directUrl,
    origin: stack.origin,
    key,
    now: Date.now,
    randomBytes: random,
  })
  return { client, origin: stack.origin }
}

function common<Type extends string>(type: Type, key: SigningKey, origin: string) {
  return { type, by: key.thumbprint, log: origin, issuedAt: new Date().toISOString(), salt: saltFrom(random) }
}

function idOf(statement: string): string {
  return statementId('identity', fromBase64url(statement.split('.')[1] ?? ''))
}

async function untilSomething<T>(ask: () => Promise<T | null>): Promise<T> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const found = await ask()
    if (found !== null) return found
  }
  throw new Error('the coordinator gave nothing')
}
