/** Invariant 2: a key goes only to hardware that the releasing agent proved itself, of the contract, for this run and this key. */
import { describe, expect, it } from 'vitest'
import { payloadBytes, toHex, utf8 } from '#libs/canonical'
import { collateralDigest, collateralAskOf, noCollateral, type Collateral } from '#libs/attestation'
import { aClock, makeKey, seededBytes, snpExtension, snpField, tdField, derInteger } from '#libs/testing'
import { acceptSchema, type Receipt } from '#libs/protocol'
import { spaces } from '../../apps/agent/src/store/records.js'
import { checkEvidence } from '../../apps/agent/src/trust/check-evidence.js'
import { CheckList } from '../../apps/agent/src/trust/check-list.js'
import { verifyActiveContract } from '../../apps/agent/src/trust/verify-contract.js'
import { verifyRun } from '../../apps/agent/src/trust/verify-run.js'
import { hardwareText } from '../../apps/agent/src/trust/hardware-text.js'
import { collateralAttachment, recordedCollateral } from '../../apps/agent/src/trust/recorded-collateral.js'
import { repeatVerdict } from '../../apps/agent/src/trust/repeat-verdict.js'
import { expectNothingGiven } from './stage/expect-nothing-given.js'
import { ForgedHardware, offeredBy, withForgedEntries, type ForgedMachine } from './stage/forged-hardware.js'
import { Scene } from './stage/owner-under-attack.js'

const now = aClock().now()
const makers = new ForgedHardware(now)
const yaml = (text: string): string => withForgedEntries(makers, text)

const begin = (collateral = makers as Pick<ForgedHardware, 'find'>): Promise<Scene> =>
  Scene.begin({ yaml, appraisal: { verifiers: makers.verifiers, gpus: makers.gpus, collateral } })

describe('hardware that the contract names', () => {
  it.each<[string, ForgedMachine]>([
    ['SEV-SNP', makers.snp()],
    ['TDX', makers.tdx()],
    ['Nitro', makers.nitro()],
    ['az-snp-vtpm', makers.azureSnp()],
    ['az-tdx-vtpm', makers.azureTdx()],
    ['maa-snp', makers.maa()],
    ['gcp-cs', makers.space()],
    ['SEV-SNP', makers.withGpus(makers.gpu())],
  ])('gets the keys of its one run: %s', async (name, machine) => {
    const scene = await begin()
    await scene.toAccepts(offeredBy(machine))
    await scene.act()
    await scene.southSays('spend')
    scene.coordinator.state = 'collectingReleases'
    await scene.act()
    expect(scene.refusals()).toEqual([])
    expect(scene.released).toBe(1)
    const made = await scene.agent.store.list(spaces.checks, `${scene.asked.request.id}/attestation/`)
    const hardware = hardwareText(made.map(([, check]) => check))
    expect(hardware).toContain(`measurement ${machine.measurement}`)
    expect(hardware).toMatch(
      new RegExp(`^${name === 'SEV-SNP' ? 'sev-snp; signed by a genoa VCEK' : name.toLowerCase()}`),
    )
  })

  it('is accepted with its collateral, by digest and beside the Accept', async () => {
    const scene = await (await begin()).toOffer(offeredBy(makers.snp()))
    await scene.act()
    const accept = scene.coordinator.runView().statements.find(({ type }) => type === 'accept')
    const [signed] = scene.coordinator.ofType('accept')
    const payload = acceptSchema.parse(signed?.payload)
    const { evidenceBytes } = scene.offered ?? expect.fail('no Offer')
    const ask = collateralAskOf({ kind: 'sev-snp', bytes: evidenceBytes }) ?? expect.fail('no ask')
    const used = await makers.find(ask)
    expect(payload.collateral).toEqual([collateralDigest(used)])
    const shown = { payload, attachment: accept?.attachment ?? null }
    expect(recordedCollateral([shown], 0)).toEqual([used])
    expect(recordedCollateral([{ ...shown, payload: { collateral: ['00'.repeat(32)] } }], 0)).toEqual([])
    expect(recordedCollateral([{ ...shown, attachment: 'AAAA' }], 0)).toEqual([])
  })
})

describe('the verdict on a recorded Offer, made again', () => {
  const repeat = async (machine: ForgedMachine, recorded: (used: Collateral) => readonly Collateral[]) => {
    const scene = await (await begin()).toOffer(offeredBy(machine))
    const shown = scene.offered ?? expect.fail('no Offer')
    const { kind } = shown.evidence.payload
    const ask = collateralAskOf({ kind, bytes: shown.evidenceBytes }) ?? expect.fail('no ask')
    const used = (await makers.find(ask)) ?? expect.fail('no collateral')
    const accepts = recorded(used).map((collateral) => ({
      payload: { collateral: [collateralDigest(collateral)] },
      attachment: collateralAttachment([collateral]) ?? null,
    }))
    return await repeatVerdict(scene.contract, shown, {
      now,
      verifiers: makers.verifiers,
      gpus: makers.gpus,
      accepts,
    })
  }
  const rubbish = { vek: utf8('rubbish') }

  it('is not spoilt by an owner that records rubbish first', async () => {
    const { fact, collateral } = await repeat(makers.snp(), (used) => [rubbish, used])
    expect(fact.failed).toEqual([])
    expect(collateral).not.toEqual(rubbish)
  })

  it('proves nothing by rubbish, nor where nothing is recorded', async () => {
    expect((await repeat(makers.snp(), () => [rubbish, rubbish])).fact.failed).not.toEqual([])
    expect((await repeat(makers.snp(), () => [])).fact.failed[0]?.seen).toBe('COLLATERAL_MISSING')
  })

  it.each<[string, ForgedMachine]>([
    ['an Azure VM', makers.azureSnp()],
    ['a token', makers.space()],
  ])('holds for %s by what is recorded, rubbish or not beside it', async (_, machine) => {
    expect((await repeat(machine, (used) => [rubbish, used])).fact.failed).toEqual([])
  })

  it('stays a refusal for a token that an owner’s own service signed, with the key set of that one recorded', async () => {
    const forged = makers.space(undefined, { by: makers.strangerService })
    const { fact } = await repeat(forged, (used) => [used])
    expect(fact.failed[0]?.check).toBe('signing key')
  })

  it('stays a refusal for hardware that nobody should have accepted, whatever else is recorded', async () => {
    const revoked = makers.snp((f) => f.crl?.revoked.push(2))
    const { fact } = await repeat(revoked, (used) => [used, { ...used, crl: utf8('') }, rubbish])
    expect(fact.failed[0]?.seen).toBe('REVOKED')
  })
})

// Evidence that fails is also too old, and named twice.
const rulesOf = ({ rules }: { readonly rules: readonly string[] }) => [...new Set(rules)]

const stranger = makeKey('ecdsa-sha384')
const older = { id: snpExtension.snp, value: derInteger(23) }
const debugPolicy = [51, 1, 0b1010]

const attacks: readonly [string, ForgedMachine, string][] = [
  [
    'SEV-SNP in debug mode',
    makers.snp((f) => {
      f.report.set(debugPolicy, snpField.policy)
    }),
    'policy.debug',
  ],
  [
    'SEV-SNP with a migration agent',
    makers.snp((f) => {
      f.report.set([51, 1, 0b110], snpField.policy)
    }),
    'policy.migrationAgent',
  ],
  [
    'SEV-SNP that runs other code',
    makers.snp((f) => f.report.fill(1, snpField.measurement, 0xc0)),
    'measurement',
  ],
  [
    'SEV-SNP whose firmware was taken back',
    makers.snp((f) => {
      f.vek.extensions = f.vek.extensions.map((own) => (own.id === older.id ? older : own))
      for (const field of ['currentTcb', 'reportedTcb', 'committedTcb', 'launchTcb'] as const)
        f.report[snpField[field] + 6] = 23
    }),
    'reportedTcb',
  ],
  [
    'SEV-SNP of an older guest',
    makers.snp((f) => {
      f.report.set([6], snpField.guestSvn)
    }),
    'guestSvn',
  ],
  [
    'SEV-SNP of another generation',
    makers.snp((f) => {
      f.report.set([0x19, 0x01], snpField.cpuid)
    }),
    'CPUID',
  ],
  ['SEV-SNP that a stranger signed', makers.snp((f) => (f.signer = stranger)), 'SIGNATURE'],
  ['SEV-SNP under a root that nobody pinned', makers.snp(undefined, { isTrusted: false }), 'CHAIN_UNTRUSTED'],
  ['SEV-SNP whose authority AMD revoked', makers.snp((f) => f.crl?.revoked.push(2)), 'REVOKED'],
  ['SEV-SNP without a revocation list', makers.snp((f) => (f.crl = null)), 'COLLATERAL_MISSING'],
  [
    'SEV-SNP with a revocation list of yesterday',
    makers.snp((f) => Object.assign(f.crl ?? {}, { until: now - 1000 })),
    'EXPIRED',
  ],
  ['TDX in debug mode', makers.tdx((f) => (f.body[tdField.tdAttributes] = 1)), 'tdAttributes.debug'],
  ['TDX that may move', makers.tdx((f) => (f.body[tdField.tdAttributes + 3]! |= 0x20)), 'migratable'],
  [
    'TDX that runs other code',
    makers.tdx((f) => f.body.fill(1, tdField.mrTd, tdField.mrTd + 48)),
    'measurement',
  ],
  [
    'TDX whose kernel is another',
    makers.tdx((f) => f.body.fill(1, tdField.rtmr1, tdField.rtmr1 + 48)),
    'rtmr1',
  ],
  [
    'TDX on firmware taken back',
    makers.tdx((f) => (f.platform.components = Array<number>(16).fill(0))),
    'tcbStatus',
  ],
  [
    'TDX without the list of its authority',
    makers.tdx((f) => (f.onTheWay.pck_crl = () => undefined)),
    'pck_crl',
  ],
  ['TDX on a revoked platform', makers.tdx((f) => f.pckList.revoked.push(3)), 'REVOKED'],
  ['TDX under a root that nobody pinned', makers.tdx(undefined, { isTrusted: false }), 'CHAIN_UNTRUSTED'],
  [
    'a Nitro enclave in debug mode',
    makers.nitro((f) => (f.payload['pcrs'] = { pairs: [[0, new Uint8Array(48)]] })),
    'debug',
  ],
  [
    'a Nitro enclave of another image',
    makers.nitro(
      (f) =>
        (f.payload['pcrs'] = {
          pairs: [
            [0, new Uint8Array(48).fill(9)],
            [8, new Uint8Array(48)],
          ],
        }),
    ),
    'measurement',
  ],
  [
    'a Nitro enclave that someone signed',
    makers.nitro(
      (f) =>
        (f.payload['pcrs'] = {
          pairs: [
            [0, new Uint8Array(48).fill(1)],
            [8, new Uint8Array(48).fill(8)],
          ],
        }),
    ),
    'pcr8',
  ],
  ['a Nitro document without report data', makers.nitro((f) => (f.payload['user_data'] = null)), 'user_data'],
  [
    'a Nitro document of yesterday',
    makers.nitro((f) => (f.payload['timestamp'] = now - 301_000)),
    'issuedAt',
  ],
  ['a Nitro document whose leaf is over', makers.nitro((f) => (f.leaf.until = now - 1)), 'EXPIRED'],
  [
    'a Nitro document under a root that nobody pinned',
    makers.nitro(undefined, { isTrusted: false }),
    'CHAIN_UNTRUSTED',
  ],
  [
    'an Azure VM that booted something else',
    makers.azureSnp(({ azure }) => (azure.pcrs[4] = new Uint8Array(32).fill(0xee))),
    'pcr4',
  ],
  [
    'an Azure VM whose vTPM no hardware vouches for',
    makers.azureSnp((forgery) => (forgery.reportData = new Uint8Array(64))),
    'BINDING_MISMATCH',
  ],
  [
    'an Azure VM that shows the Offer in its runtime data and in no quote',
    makers.azureTdx(({ azure }) => {
      azure.runtime['user-data'] = toHex(azure.nonce)
      azure.nonce = new Uint8Array(32)
    }),
    'reportData',
  ],
  [
    'a token of a service that nobody named',
    makers.maa(undefined, { by: makers.strangerService }),
    'signing key',
  ],
  [
    'a token of another instance',
    makers.maa((all) => ({ ...all, iss: 'https://other.attest.example' })),
    'iss',
  ],
  [
    'a token whose result is no compliance',
    makers.maa((all) => ({ ...all, 'x-ms-compliance-status': 'none' })),
    'x-ms-compliance-status',
  ],
  [
    'a token by a policy that was changed',
    makers.maa((all) => ({ ...all, 'x-ms-policy-hash': 'Q'.repeat(42) + 'A' })),
    'x-ms-policy-hash',
  ],
  [
    'a guest’s own token in place of the hardware’s',
    makers.maa(undefined, { nested: true }),
    'x-ms-attestation-type',
  ],
  [
    'a token whose hardware claims stand at an inner level only',
    makers.maa((all) => ({ iss: all['iss'] ?? '', 'x-ms-isolation-tee': all })),
    'WRONG_TYPE',
  ],
  [
    'a token of Google for another purpose',
    makers.space((all) => ({ ...all, aud: 'https://sts.googleapis.com' })),
    'aud',
  ],
  ['a token of Google by a stranger', makers.space(undefined, { by: makers.strangerService }), 'signing key'],
  [
    'a token of Google about a debug image',
    makers.space((all) => ({ ...all, dbgstat: 'enabled' })),
    'dbgstat',
  ],
  [
    'a token of Google for this run and another',
    makers.space((all) => ({ ...all, eat_nonce: [all['eat_nonce'] ?? '', '00'.repeat(32)] })),
    'BINDING_MISMATCH',
  ],
]

describe('an owner gives nothing to', () => {
  it.each(attacks)('%s', async (_, machine, said) => {
    const scene = await (await begin()).toOffer(offeredBy(machine))
    const attempt = await scene.attempt()
    expect(attempt.code).toBeNull()
    expect(rulesOf(attempt)).toEqual(['enclave.appraised'])
    expect(attempt.said).toContain(said)
    await expectNothingGiven(scene)
  })

  it.each<[string, ForgedMachine]>([
    ['SEV-SNP', makers.snp()],
    ['TDX', makers.tdx()],
    ['Nitro', makers.nitro()],
    ['an Azure VM on SEV-SNP', makers.azureSnp()],
    ['an Azure VM on TDX', makers.azureTdx()],
    ['a token of Azure', makers.maa()],
    ['a token of Google', makers.space()],
  ])('genuine evidence of another key, or of another run: %s', async (_, machine) => {
    const other = await begin()
    await other.toOffer(offeredBy(machine))
    const theirs = other.offered ?? expect.fail('no Offer')
    const scene = await begin()
    await scene.toOffer({ ...offeredBy(machine), evidenceFor: () => payloadBytes(theirs.offer) })
    const attempt = await scene.attempt()
    expect(rulesOf(attempt)).toEqual(['enclave.appraised'])
    expect(attempt.said).toContain('reportData')
    await expectNothingGiven(scene)
  })

  it('evidence of one kind under the entry of another', async () => {
    const scene = await begin()
    await scene.toOffer(offeredBy({ ...makers.nitro(), enclave: 0 }))
    expect((await scene.attempt()).rules.length).toBeGreaterThan(0)
    await expectNothingGiven(scene)
  })

  it.each(['snp', 'tdx', 'azureSnp', 'azureTdx', 'maa', 'space'] as const)(
    'hardware whose collateral is not to be had: %s',
    async (kind) => {
      const scene = await (await begin(noCollateral)).toOffer(offeredBy(makers[kind]()))
      const attempt = await scene.attempt()
      expect(rulesOf(attempt)).toEqual(['enclave.appraised'])
      expect(attempt.said).toContain('COLLATERAL_MISSING')
      await expectNothingGiven(scene)
    },
  )

  it('hardware of a made-up maker where nobody gave the roots by code', async () => {
    const scene = await Scene.begin({ yaml })
    await scene.toOffer(offeredBy(makers.snp()))
    expect(rulesOf(await scene.attempt())).toEqual(['enclave.appraised'])
    await expectNothingGiven(scene)
  })
})

describe('collateral that ends between an Accept and its release', () => {
  const shortLived = makers.snp((f) => Object.assign(f.crl ?? {}, { until: now + 5000 }))
  const releasedLater = async () => {
    const scene = await (await begin()).toAccepts(offeredBy(shortLived))
    scene.clock.advance(10_000)
    return scene
  }
  const checkedRun = async (scene: Scene) => {
    const contract = await verifyActiveContract(
      scene.agent,
      await scene.agent.client.contract(scene.contract.id),
    )
    return {
      contract,
      run: await verifyRun(contract, await scene.agent.client.run(scene.asked.request.id), 'history'),
    }
  }
  const verdictOn = async ({ contract, run }: Awaited<ReturnType<typeof checkedRun>>) => {
    const list = new CheckList()
    const receipt = { simulated: false, build: run.offers[0]?.offer.payload.build } as Receipt
    const hardware = await checkEvidence(list, makers, contract, run, receipt)
    return { ok: list.ok, failed: list.checks.filter(({ ok }) => !ok).map(({ check }) => check), hardware }
  }

  it('ends the run where no newer one is to be had', async () => {
    const scene = await releasedLater()
    const attempt = await scene.attempt()
    expect(rulesOf(attempt)).toEqual(['enclave.appraised'])
    expect(attempt.said).toContain('EXPIRED')
    await expectNothingGiven(scene)
  })

  it('takes nothing from an honest receipt: the verdict is of the Accept, the age of the release', async () => {
    const scene = await releasedLater()
    makers.snp().hardware(new Uint8Array(64))
    await scene.act()
    await scene.southSays('spend')
    scene.coordinator.state = 'collectingReleases'
    await scene.act()
    expect(scene.released).toBe(1)
    const shown = await checkedRun(scene)
    expect(await verdictOn(shown)).toMatchObject({
      ok: true,
      hardware: [expect.stringContaining('sev-snp; signed by a genoa VCEK')],
    })

    const [release = expect.fail('no release')] = shown.run.releases
    const tooLate = { ...release, payload: { ...release.payload, issuedAt: scene.clock.iso(300_000) } }
    const late = { ...shown, run: { ...shown.run, releases: [tooLate] } }
    expect((await verdictOn(late)).failed).toEqual(['evidence released on by north'])
    const unaccepted = { ...shown, run: { ...shown.run, accepts: [] } }
    expect((await verdictOn(unaccepted)).failed).toContain('evidence')
  })
})

/** One honest machine, and one thing changed: each stops the release with its own code. */
const single: readonly [string, ForgedMachine, object, string][] = [
  [
    'debug mode',
    makers.snp(({ report }) => {
      report.set(debugPolicy, snpField.policy)
    }),
    {},
    'DEBUG_ENABLED',
  ],
  [
    'a lower TCB at launch',
    makers.snp(({ report }) => (report[snpField.launchTcb + 6] = 23)),
    {},
    'TCB_OUT_OF_DATE',
  ],
  [
    'a lower TCB than its certificate is for',
    makers.snp(({ report }) => (report[snpField.reportedTcb + 6] = 23)),
    {},
    'TCB_MISMATCH',
  ],
  [
    'another measurement',
    makers.snp(({ report }) => report.fill(1, snpField.measurement, 0xc0)),
    {},
    'MEASUREMENT_MISMATCH',
  ],
  [
    'other report data',
    makers.snp(({ report }) => {
      report.set(seededBytes('other')(64), snpField.reportData)
    }),
    {},
    'BINDING_MISMATCH',
  ],
  ['a chip whose authority was revoked', makers.snp((f) => f.crl?.revoked.push(2)), {}, 'REVOKED'],
  [
    'another chip than its certificate is for',
    makers.snp(({ report }) => {
      report.set([1], snpField.chipId)
    }),
    {},
    'WRONG_CHIP',
  ],
  [
    'a lower privilege level',
    makers.snp(({ report }) => {
      report.set([1], snpField.vmpl)
    }),
    {},
    'POLICY',
  ],
  ['an Offer that is too old', makers.snp(), { issuedAt: aClock().iso(-301_000) }, 'EVIDENCE_TOO_OLD'],
  ['an Offer of tomorrow', makers.snp(), { issuedAt: aClock().iso(86_400_000) }, 'EVIDENCE_NOT_YET_VALID'],
  ['no revocation list', makers.snp((f) => (f.crl = null)), {}, 'COLLATERAL_MISSING'],
  ['a root that nobody pinned', makers.snp(undefined, { isTrusted: false }), {}, 'CHAIN_UNTRUSTED'],
]

describe('one thing changed on honest hardware stops the release with its code', () => {
  it.each(single)('%s', async (_, machine, change, code) => {
    const scene = await (await begin()).toOffer(offeredBy(machine, change))
    const attempt = await scene.attempt()
    expect(attempt.code).toBeNull()
    expect(rulesOf(attempt)).toEqual(['enclave.appraised'])
    expect(attempt.said).toContain(code)
    await expectNothingGiven(scene)
  })
})
