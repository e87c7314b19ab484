import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digest, domains, signingKeyFromSeed, toBase64url } from '#libs/canonical'
import { ClientError, signedFetch } from '#libs/client'
import {
  approvalKind,
  denialKind,
  fetchKind,
  nonceKind,
  refusalKind,
  renewalKind,
  revocationKind,
  withdrawalKind,
  offerSetDigest,
} from '#libs/protocol'
import { contractKind } from '#libs/contract'
import { testTerms } from '../testing/contract.js'
import { makeParty, type TestParty } from '../testing/party.js'
import { Play } from '../testing/play.js'
import { aStage, type Stage } from '../testing/stage.js'
import { idsOf } from '../testing/read-statements.js'
import type { TestWorker } from '../testing/worker.js'

/** The code of a refusal; fails where there was none. */
async function codeOf(act: Promise<unknown>): Promise<string> {
  const error: unknown = await act.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ClientError)
  return (error as ClientError).problem?.code ?? `no problem: ${String(error)}`
}

describe('what is refused', () => {
  let stage: Stage
  let play: Play

  beforeAll(async () => {
    stage = await aStage({ maximumRounds: 20 })
    play = await Play.begin(stage, (yaml) =>
      yaml
        .replaceAll('limit: 3', 'limit: 500')
        .replace('governance:', 'runs: { failures: 500 }\ngovernance:'),
    )
  })
  afterAll(async () => {
    await stage.close()
  })

  const refusedRules = async (act: Promise<unknown>): Promise<string[]> => {
    const error: unknown = await act.catch((reason: unknown) => reason)
    return (error as ClientError).problem?.refusals?.map(({ rule }) => rule) ?? []
  }

  describe('of an identity', () => {
    it('is one without an invitation, or with a used one', async () => {
      const party = await makeParty('guest', play.cast.lab.wire)
      expect(await codeOf(party.join())).toBe('INVITATION_INVALID')
      expect(await codeOf(party.join('wrong'))).toBe('INVITATION_INVALID')
      const invitation = await stage.invite()
      await party.join(invitation)
      expect(await codeOf((await makeParty('second', play.cast.lab.wire)).join(invitation))).toBe(
        'INVITATION_INVALID',
      )
    })

    it('is one that brings another key than the one that signed the request', async () => {
      const party = await makeParty('guest', play.cast.lab.wire)
      const identity = await party.makeIdentity({
        daemonKey: (await signingKeyFromSeed(randomBytes(32))).publicKey,
      })
      expect(await codeOf(party.client.record(identity.jws, { invitation: await stage.invite() }))).toBe(
        'STATEMENT_NOT_BY_CALLER',
      )
    })

    it('is one with a daemon key of somebody else, or its own consent key', async () => {
      const { lab } = play.cast
      const next = { sequence: 2, previous: lab.identity().id }
      const stolen = await lab.makeIdentity({ ...next, daemonKey: play.cast.north.daemon.publicKey })
      expect(await codeOf(lab.client.record(stolen.jws))).toBe('STATEMENT_CONFLICT')
      const same = await lab.makeIdentity({ ...next, daemonKey: lab.consent.publicKey })
      expect(await codeOf(lab.client.record(same.jws))).toBe('STATEMENT_CONFLICT')
    })

    it('is one that does not follow the newest', async () => {
      const { lab } = play.cast
      expect(
        await codeOf(
          lab.client.record((await lab.makeIdentity({ sequence: 3, previous: lab.identity().id })).jws),
        ),
      ).toBe('IDENTITY_INVALID')
      expect(
        await codeOf(lab.client.record((await lab.makeIdentity({ sequence: 1, previous: null })).jws)),
      ).toBe('IDENTITY_INVALID')
    })
  })

  describe('of any statement', () => {
    it('is one of another log, of the future, or of no known type', async () => {
      const { north } = play.cast
      const base = {
        ...north.own('nonce'),
        contract: play.contract,
        run: 'a'.repeat(64),
        round: 1,
        place: 0,
        nonce: toBase64url(randomBytes(32)),
      }
      expect(
        await codeOf(north.client.record((await north.sign(nonceKind, { ...base, log: 'other/1' })).jws)),
      ).toBe('STATEMENT_OTHER_LOG')
      expect(
        await codeOf(
          north.client.record(
            (await north.sign(nonceKind, { ...base, issuedAt: stage.clock.iso(600_000) })).jws,
          ),
        ),
      ).toBe('STATEMENT_TIME_IMPLAUSIBLE')
      expect(await codeOf(north.client.record('a.b.c'))).toMatch(/MALFORMED/)
      expect(await codeOf(north.client.record((await north.sign(nonceKind, base)).jws))).toBe('RUN_UNKNOWN')
    })

    it('is one by another than the caller, by the wrong key, or with a broken signature', async () => {
      const { north, south } = play.cast
      const base = {
        ...north.own('withdrawal'),
        contract: play.contract,
        dataset: 'stays',
        manifest: null,
        from: stage.clock.iso(),
        reason: '',
      }
      const statement = await north.sign(withdrawalKind, base)
      expect(await codeOf(south.client.record(statement.jws))).toBe('STATEMENT_NOT_BY_CALLER')
      expect(
        await codeOf(north.client.record((await north.sign(withdrawalKind, base, north.consent)).jws)),
      ).toBe('IDENTITY_INVALID')
      const [header, payload, signature] = statement.jws.split('.')
      const broken = Buffer.from(signature ?? '', 'base64url')
      broken[3] = (broken[3] ?? 0) ^ 1
      expect(
        await codeOf(north.client.record([header, payload, broken.toString('base64url')].join('.'))),
      ).toBe('STATEMENT_SIGNATURE_INVALID')
    })

    it('is an Activation of anybody', async () => {
      const { regulator, lab } = play.cast
      const activation = (await regulator.client.contract(play.contract)).statements.find(
        ({ type }) => type === 'activation',
      )
      // The recorded one is answered alike to everybody; it is recorded once.
      expect((await lab.client.record(activation?.statement ?? '')).index).toBe(activation?.index)
    })
  })

  describe('of a contract', () => {
    it('is a proposal under other keys of the log, or by a party that does not sign first', async () => {
      const { lab, north } = play.cast
      const other = { ...stage.log, coordinatorKey: stage.log.logKey }
      expect(await codeOf(lab.propose(testTerms(play.cast, other)))).toBe('STATEMENT_OTHER_LOG')
      const { payload } = await lab.sign(
        contractKind,
        { ...lab.own('contract'), type: 'contract', terms: testTerms(play.cast, stage.log) },
        lab.consent,
      )
      const early = await north.sign(contractKind, payload, north.consent)
      expect(await codeOf(north.client.record(early.jws))).toBe('STATEMENT_NOT_BY_CALLER')
    })

    it('is an expired proposal, a second signature, and a signature by no signatory', async () => {
      const { lab, regulator, north } = play.cast
      const late = testTerms(play.cast, stage.log, (yaml) =>
        yaml.replace('proposalExpires: 2036-01-01', 'proposalExpires: 2026-01-02'),
      )
      expect(await codeOf(lab.propose(late))).toBe('PROPOSAL_EXPIRED')
      const open = await lab.propose(testTerms(play.cast, stage.log))
      expect(await codeOf(regulator.signContract(open))).toBe('NOT_ENTITLED')
      await north.signContract(open)
      await north.signContract(open)
      const stranger = await stage.party('stranger')
      expect(await codeOf(stranger.client.contract(open))).toBe('CONTRACT_UNKNOWN')
      expect(await codeOf(lab.seal(open, 'stays'))).toBe('CONTRACT_NOT_OPEN')
    })
  })

  describe('of data', () => {
    it("is a manifest of somebody else's dataset, out of its chain, or of bytes that are not here", async () => {
      const { lab, north } = play.cast
      expect(await codeOf(lab.seal(play.contract, 'stays'))).toBe('NOT_ENTITLED')
      expect(await codeOf(north.seal(play.contract, 'nothing'))).toBe('NOT_ENTITLED')
      expect(await codeOf(north.seal(play.contract, 'stays'))).toBe('STATEMENT_CONFLICT')
      const next = { sequence: 2, previous: play.manifests.get('north')?.id ?? '' }
      const missing = [{ name: 'id', columns: ['id'], ciphertextDigest: 'f'.repeat(64), size: 10 }]
      expect(await codeOf(north.seal(play.contract, 'stays', { ...next, segments: missing }))).toBe(
        'BLOB_UNKNOWN',
      )
    })

    it('is a withdrawal or a revocation by those who have no say', async () => {
      const { lab, regulator } = play.cast
      const withdrawal = {
        ...lab.own('withdrawal'),
        contract: play.contract,
        dataset: 'stays',
        manifest: null,
        from: stage.clock.iso(),
        reason: '',
      }
      expect(await codeOf(lab.client.record((await lab.sign(withdrawalKind, withdrawal)).jws))).toBe(
        'RUN_REFUSED',
      )
      const revocation = {
        ...regulator.own('revocation'),
        contract: play.contract,
        subject: { kind: 'contract' as const },
        from: stage.clock.iso(),
        reason: '',
      }
      expect(
        await codeOf(
          regulator.client.record((await regulator.sign(revocationKind, revocation, regulator.consent)).jws),
        ),
      ).toBe('RUN_REFUSED')
    })
  })

  describe('of a request', () => {
    const attempts: [name: string, change: () => Parameters<Play['makeRequest']>[0], rule: string][] = [
      [
        'of a computation that the contract does not name',
        () => ({ computation: 'other' }),
        'computation.known',
      ],
      ['that has expired', () => ({ expiresAt: stage.clock.iso(-1) }), 'request.unexpired'],
      [
        'with an input missing',
        () => ({
          inputs: [
            {
              dataset: 'stays',
              owner: play.cast.north.thumbprint,
              manifest: play.manifests.get('north')?.id ?? '',
            },
          ],
        }),
        'inputs.complete',
      ],
      [
        'on a version that is not the newest',
        () => ({
          inputs: play.owners.map(({ thumbprint }) => ({
            dataset: 'stays',
            owner: thumbprint,
            manifest: 'e'.repeat(64),
          })),
        }),
        'inputs.newest',
      ],
    ]
    it.each(attempts)('is one %s, and it is told why', async (_name, change, rule) => {
      const { statement, attachment } = await play.makeRequest(change())
      const act = play.cast.lab.client.record(statement.jws, { attachment })
      expect(await refusedRules(act)).toContain(rule)
    })

    it('is one by a party without the right', async () => {
      const { statement, attachment } = await play.makeRequest()
      const { south } = play.cast
      const own = await south.sign(
        { type: 'run-request', parse: (value) => value as never },
        { ...statement.payload, ...south.own('run-request') },
      )
      expect(await refusedRules(south.client.record(own.jws, { attachment }))).toEqual(['requester.entitled'])
    })

    it('is one whose sealed part is missing or another', async () => {
      const { statement } = await play.makeRequest()
      const { lab } = play.cast
      expect(await codeOf(lab.client.record(statement.jws))).toBe('ATTACHMENT_MISMATCH')
      expect(
        await codeOf(lab.client.record(statement.jws, { attachment: toBase64url(randomBytes(256)) })),
      ).toBe('ATTACHMENT_MISMATCH')
    })

    it('is a run shown to a stranger, cancelled by another, or answered by no owner', async () => {
      const run = await play.request()
      const stranger = await stage.party('curious')
      expect(await codeOf(stranger.client.run(run))).toBe('RUN_UNKNOWN')
      expect(await codeOf(play.cast.south.client.cancel(run))).toBe('NOT_ENTITLED')
      expect(await codeOf(play.cast.lab.client.readiness({ run, state: 'ready', reason: '' }))).toBe(
        'NOT_ENTITLED',
      )
      await play.cast.lab.client.cancel(run)
      expect((await play.view(run)).state).toBe('cancelled')
      expect(await codeOf(play.nonce(play.cast.north, run, 1))).toBe('RUN_STATE_CONFLICT')
    })
  })

  describe('of approvals', () => {
    it('is one by nobody that the contract names, and a denial ends the run', async () => {
      const run = await play.request({ computation: 'approved_mean' })
      expect((await play.view(run)).state).toBe('awaitingApprovals')
      const vote = (party: typeof play.cast.north) => ({
        contract: play.contract,
        run,
        release: null,
        expiresAt: stage.clock.iso(60_000),
        ...party.own('approval'),
      })
      const { south, north } = play.cast
      expect(
        await codeOf(south.client.record((await south.sign(approvalKind, vote(south), south.consent)).jws)),
      ).toBe('RUN_REFUSED')
      expect(await codeOf(north.client.record((await north.sign(approvalKind, vote(north))).jws))).toBe(
        'IDENTITY_INVALID',
      )
      const denial = { ...vote(north), ...north.own('denial'), reason: 'not now' }
      await north.client.record((await north.sign(denialKind, denial, north.consent)).jws)
      expect((await play.view(run)).state).toBe('denied')
    })

    it('is nothing more once the named one is there', async () => {
      const run = await play.request({ computation: 'approved_mean' })
      await play.ready(run)
      const { north } = play.cast
      const approval = {
        ...north.own('approval'),
        contract: play.contract,
        run,
        release: null,
        expiresAt: stage.clock.iso(60_000),
      }
      await north.client.record((await north.sign(approvalKind, approval, north.consent)).jws)
      expect((await play.view(run)).state).toBe('awaitingWorker')
      await play.cast.lab.client.cancel(run)
    })
  })

  describe('in a round', () => {
    let run: string
    let worker: TestWorker

    const begin = async (state: Parameters<Play['until']>[0]) => {
      worker = await stage.worker()
      run = await play.request()
      return await play.until(state, run, worker)
    }

    it('is a nonce of another round, of no owner, or a second one', async () => {
      await begin('collectingNonces')
      const { north, lab } = play.cast
      expect(await codeOf(play.nonce(north, run, 2))).toBe('ROUND_OTHER')
      expect(await codeOf(play.nonce(lab, run, 1))).toBe('NOT_ENTITLED')
      await play.nonce(north, run, 1)
      expect(await codeOf(play.nonce(north, run, 1))).toBe('STATEMENT_CONFLICT')
    })

    it('is an Offer by another worker, with other nonces or Identities, or for too long', async () => {
      await begin('awaitingOffer')
      expect(await codeOf(worker.offer({ nonces: {} }))).toBe('ROUND_OTHER')
      const identities = {
        ...(await worker.makeOffer()).payload.identities,
        [play.cast.lab.thumbprint]: 'd'.repeat(64),
      }
      expect(await codeOf(worker.offer({ identities }))).toBe('ROUND_OTHER')
      expect(await codeOf(worker.offer({ expiresAt: stage.clock.iso(3_600_000) }))).toBe(
        'STATEMENT_TIME_IMPLAUSIBLE',
      )
      expect(await codeOf(worker.offer({ enclave: 7 }))).toBe('CONTRACT_MISMATCH')
      expect(await codeOf(worker.offer({ place: 1 }))).toBe('ROUND_OTHER')
      const other = await stage.worker()
      const offer = await worker.makeOffer()
      expect(await codeOf(other.client.record(offer.jws))).toBe('WORKER_STATE_CONFLICT')
      expect(await codeOf(other.client.workerRun(run, 0, 0))).toBe('RUN_UNKNOWN')
      const unsigned = await play.cast.north.sign(
        { type: 'offer', parse: (value) => value as never },
        offer.payload,
      )
      expect(await codeOf(worker.client.record(unsigned.jws))).toBe('STATEMENT_HEADER_INVALID')
    })

    it('is an Accept for another set, with other inputs, or longer than its Offer', async () => {
      await begin('collectingAccepts')
      const { north } = play.cast
      const accept = async (change: object) =>
        north.client.record((await play.makeAccept(north, run, change)).jws)
      expect(await codeOf(accept({ offers: offerSetDigest(['a'.repeat(64)]) }))).toBe('ROUND_OTHER')
      expect(await codeOf(accept({ manifests: ['a'.repeat(64)] }))).toBe('STATEMENT_CONFLICT')
      expect(await codeOf(accept({ evidence: ['a'.repeat(64)] }))).toBe('STATEMENT_CONFLICT')
      expect(await codeOf(accept({ expiresAt: stage.clock.iso(600_000) }))).toBe('STATEMENT_CONFLICT')
      expect(await codeOf(play.spend(north, run))).toBe('RUN_STATE_CONFLICT')
      const early = await play.makeRelease(north, run, { spend: 'a'.repeat(64) })
      expect(await codeOf(north.client.record(early.jws))).toBe('RELEASE_INVALID')
    })

    it('is a Spend out of its chain or with a wrong sum, and a cosignature that is none', async () => {
      await begin('collectingSpends')
      const { north, south } = play.cast
      const spend = async (change: object) =>
        north.client.record((await play.makeSpend(north, run, change)).jws)
      expect(await codeOf(spend({ sequence: 99 }))).toBe('SPEND_CHAIN_BROKEN')
      expect(await codeOf(spend({ previous: 'a'.repeat(64) }))).toBe('SPEND_CHAIN_BROKEN')
      expect(await codeOf(spend({ total: { runs: 0, rows: 0, epsilonMicro: 0, deltaPico: 0 } }))).toBe(
        'SPEND_CHAIN_BROKEN',
      )
      expect(await codeOf(spend({ dataset: 'other' }))).toBe('NOT_ENTITLED')
      await play.spend(north, run)
      expect(await codeOf(play.spend(north, run))).toBe('STATEMENT_CONFLICT')
      await play.spend(south, run)
      const { size, root } = await north.client.checkpoint()
      expect(await codeOf(north.client.cosign({ size, root: 'a'.repeat(64), line: 'x' }))).toBe(
        'COSIGNATURE_REFUSED',
      )
      expect(await codeOf(north.client.cosign({ size: 100_000, root, line: 'x' }))).toBe('CHECKPOINT_UNKNOWN')
      expect(await codeOf(north.client.cosign({ size, root, line: 'junk' }))).toBe('NOTE_MALFORMED')
    })

    it('is a release for another Offer, version or Spend, a second one, and a refusal that comes too late', async () => {
      await begin('collectingReleases')
      const { north, south } = play.cast
      const release = async (change: object) =>
        north.client.record((await play.makeRelease(north, run, change)).jws)
      expect(await codeOf(release({ offer: 'a'.repeat(64) }))).toBe('RELEASE_INVALID')
      expect(await codeOf(release({ manifest: 'a'.repeat(64) }))).toBe('RELEASE_INVALID')
      expect(await codeOf(release({ spend: 'a'.repeat(64) }))).toBe('RELEASE_INVALID')
      expect(await codeOf(release({ leaseUntil: stage.clock.iso(-1) }))).toBe('RELEASE_INVALID')
      await play.release(north, run)
      expect(await codeOf(play.release(north, run))).toBe('STATEMENT_CONFLICT')
      await play.release(south, run)
      const reasons = [{ rule: 'r', expected: '', seen: '', who: '', text: '' }]
      const refusal = {
        ...north.own('refusal'),
        contract: play.contract,
        run,
        round: 1,
        step: 'release' as const,
        reasons,
      }
      expect(await codeOf(north.client.record((await north.sign(refusalKind, refusal)).jws))).toBe(
        'RUN_STATE_CONFLICT',
      )
      const renewal = {
        ...north.own('renewal'),
        contract: play.contract,
        run,
        round: 1,
        offers: offerSetDigest(idsOf(await play.view(run), 'offer')),
        sequence: 1,
        leaseUntil: stage.clock.iso(90_000),
      }
      expect((await north.client.record((await north.sign(renewalKind, renewal)).jws)).index).toBeNull()
      expect(
        await codeOf(
          north.client.record((await north.sign(renewalKind, { ...renewal, ...north.own('renewal') })).jws),
        ),
      ).toBe('STATEMENT_CONFLICT')
    })

    it('is a Receipt that does not account for the run, and output keys before it is recorded', async () => {
      await begin('running')
      const recipients = [play.cast.lab.thumbprint]
      expect(await codeOf(worker.receipt(recipients, { start: 'a'.repeat(64) }))).toBe('RECEIPT_INVALID')
      await worker.start()
      expect(await codeOf(worker.start())).toBe('STATEMENT_CONFLICT')
      expect(await codeOf(worker.receipt(recipients, { offers: ['a'.repeat(64)] }))).toBe('RECEIPT_INVALID')
      expect(await codeOf(worker.receipt(recipients, { releases: ['a'.repeat(64)] }))).toBe('RECEIPT_INVALID')
      expect(await codeOf(worker.receipt(recipients, { computation: 'approved_mean' }))).toBe(
        'RECEIPT_INVALID',
      )
      expect(await codeOf(worker.receipt([play.cast.regulator.thumbprint]))).toBe('RECEIPT_INVALID')
      expect(await codeOf(worker.receipt(recipients, { outcome: 'timedOut' }))).toBe('RECEIPT_INVALID')
      const absent = [
        {
          name: 'result',
          digest: digest(domains.ciphertext, randomBytes(5)),
          size: 5,
          recipients: [],
          controls: ['minimumGroupSize'],
        },
      ]
      expect(
        await codeOf(
          worker.receipt(recipients, {
            outputs: absent.map((output) => ({
              ...output,
              recipients: [{ party: play.cast.lab.thumbprint, identity: null }],
            })),
          }),
        ),
      ).toBe('BLOB_UNKNOWN')
      await worker.receipt(recipients)
      expect(await codeOf(worker.outputKeys(recipients))).toBe('RECEIPT_INVALID')
      await play.cosign()
      expect(await codeOf(worker.outputKeys([]))).toBe('RECEIPT_INVALID')
      await worker.outputKeys(recipients)
      const { south, lab } = play.cast
      const fetchFor = async (party: typeof south) =>
        party.client.record(
          (
            await party.sign(fetchKind, {
              ...party.own('fetch'),
              contract: play.contract,
              run,
              output: 'result',
            })
          ).jws,
        )
      expect(await codeOf(fetchFor(south))).toBe('RUN_REFUSED')
      const output = (await play.view(run)).outputs[0]?.digest ?? ''
      const blob = (party: TestParty) => readBlob(party, output)
      expect(await blob(lab)).toBe('BLOB_UNKNOWN')
      await fetchFor(lab)
      expect(await blob(lab)).toBe('read')
      expect(await blob(south)).toBe('BLOB_UNKNOWN')
    })

    it('is what came twice recorded once', async () => {
      await begin('collectingAccepts')
      const { north } = play.cast
      const { jws } = await play.makeAccept(north, run)
      const first = await north.client.record(jws)
      const size = (await north.client.checkpoint()).size
      expect(await north.client.record(jws)).toEqual(first)
      expect((await north.client.checkpoint()).size).toBe(size)
    })
  })

  it('of a worker is a registration without the secret, and a second run', async () => {
    const worker = await stage.worker()
    const registration = {
      key: worker.key.publicKey,
      tee: 'simulated' as const,
      measurement: 'ab'.repeat(32),
      enrolment: 'wrong',
    }
    expect(await codeOf(worker.client.registerWorker(registration))).toBe('ENROLMENT_INVALID')
    const run = await play.request()
    await play.until('collectingNonces', run, worker)
    await worker.client.endWorker(run, { code: 'refused', owner: null, detail: 'test' })
    expect((await play.view(run)).state).toBe('awaitingWorker')
    expect(await codeOf(worker.client.assignment(0))).toBe('WORKER_STATE_CONFLICT')
    await play.cast.lab.client.cancel(run)
  })

  it('under a withdrawn dataset is every request, and the run that waits', async () => {
    const run = await play.request()
    const { south } = play.cast
    const withdrawal = {
      ...south.own('withdrawal'),
      contract: play.contract,
      dataset: 'stays',
      manifest: null,
      from: stage.clock.iso(-1),
      reason: 'consent ended',
    }
    await south.client.record((await south.sign(withdrawalKind, withdrawal)).jws)
    const view = await play.view(run)
    expect([view.state, view.endedBecause]).toEqual([
      'refused',
      'stays was withdrawn by its owner: consent ended',
    ])
    const { statement, attachment } = await play.makeRequest()
    expect(await refusedRules(play.cast.lab.client.record(statement.jws, { attachment }))).toEqual([
      'inputs.withdrawn',
    ])
  })

  it('under a revoked contract is everything', async () => {
    const { north, lab } = play.cast
    const revocation = {
      ...north.own('revocation'),
      contract: play.contract,
      subject: { kind: 'contract' as const },
      from: stage.clock.iso(-1),
      reason: 'over',
    }
    await north.client.record((await north.sign(revocationKind, revocation, north.consent)).jws)
    expect((await lab.client.contract(play.contract)).state).toBe('revoked')
    const { statement, attachment } = await play.makeRequest()
    expect(await codeOf(lab.client.record(statement.jws, { attachment }))).toBe('RUN_REFUSED')
  })
})

async function readBlob(party: TestParty, name: string): Promise<string> {
  try {
    await signedFetch(party.client.connection, { method: 'GET', path: `/v1/blobs/${name}` })
    return 'read'
  } catch (error) {
    return (error as ClientError).problem?.code ?? ''
  }
}
