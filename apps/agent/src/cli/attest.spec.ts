import { existsSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collateralAskOf, parseDcapCollateral } from '#libs/attestation'
import { utf8 } from '#libs/canonical'
import { aClock, evidenceFolder, FakeAmd, FakeAws, FakeIntel, FakeNvidia, snpField } from '#libs/testing'
import { CollateralFolder } from '../collateral/folder.js'
import { Person } from '../testing/person.js'

const clock = aClock()
const amd = new FakeAmd()
let person: Person
beforeAll(async () => {
  person = await Person.make('looker', clock.now)
})
afterAll(async () => {
  await person.gone()
})

async function file(name: string, bytes: Uint8Array): Promise<string> {
  await writeFile(person.file(name), bytes)
  return person.file(name)
}

function report(mutate: (report: Uint8Array) => void = () => undefined): Uint8Array {
  const draft = amd.draft(clock.now())
  mutate(draft.report)
  return amd.make(draft).report
}

describe('attest inspect', () => {
  it('says loudly that nothing was verified, and in words what a report claims', async () => {
    const said = await person.saysBare('attest', 'inspect', await file('a.bin', report()))
    expect(said.exit).toBe(0)
    expect(said.out).toMatch(/^UNVERIFIED: /)
    expect(said.out).toContain('report of AMD SEV-SNP')
    expect(said.out).toContain('3e'.repeat(48))
  })

  it('warns of a guest that the host can read', async () => {
    const bytes = report((bytes) => (bytes[snpField.policy + 2] = 0x0a))
    const said = await person.saysBare('attest', 'inspect', '--json', await file('debug.bin', bytes))
    expect(said.json()).toMatchObject({ verified: false, kind: 'sev-snp' })
    expect(said.json<{ warnings: string[] }>().warnings.join()).toContain('DEBUG')
  })

  it.each([
    ['tdx', () => new FakeIntel().make(new FakeIntel().draft(clock.now())).quote],
    ['nitro', () => new FakeAws().make(new FakeAws().draft(clock.now())).document],
    [
      'nvidia-gpu',
      () => {
        const nvidia = new FakeNvidia()
        return nvidia.make(nvidia.draft(clock.now(), new Uint8Array(32).fill(7))).report
      },
    ],
    ['token', () => utf8('eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2EudGVzdCJ9.AAAA')],
  ])('tells %s from its bytes', async (kind, make) => {
    const said = await person.saysBare('attest', 'inspect', '--json', await file(`${kind}.bin`, make()))
    expect(said.json()).toMatchObject({ kind, verified: false })
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['a report that was cut', report().subarray(0, 1183)],
    ['a quote without an end', Uint8Array.of(4, 0, 2, 0, 0x81, 0, 0, 0, ...new Uint8Array(60))],
    ['JSON of no kind', utf8('{"a":1}')],
    ['a token without claims', utf8('eyJh.e30')],
  ])('refuses %s with a code', async (_what, bytes) => {
    const said = await person.saysBare('attest', 'inspect', '--json', await file('bad.bin', bytes))
    expect(said.exit).toBe(1)
    expect(said.json<{ error: { code: string } }>().error.code).toBe('MALFORMED')
  })

  it('prints no control character of a hostile token', async () => {
    const claims = Buffer.from(JSON.stringify({ iss: '\u001b[2J\u202eevil' })).toString('base64url')
    const token = utf8(`eyJhbGciOiJSUzI1NiJ9.${claims}.AAAA`)
    const said = await person.saysBare('attest', 'inspect', await file('hostile', token))
    expect(said.out).toContain('\\u{1b}[2J\\u{202e}evil')
    for (const hidden of ['\u001b', '\u202e']) expect(said.out).not.toContain(hidden)
  })

  it('lets no hostile token write a line of its own', async () => {
    const forged = { iss: 'a\naccepted by entry 0', 'b\nWARNING: none': 1 }
    const claims = Buffer.from(JSON.stringify(forged)).toString('base64url')
    const token = utf8(`eyJhbGciOiJSUzI1NiJ9.${claims}.AAAA`)
    const { out } = await person.saysBare('attest', 'inspect', await file('lines', token))
    expect(out).toContain('a\\u{a}accepted')
    expect(out).not.toMatch(/^(?:accepted|WARNING)/m)
  })
})

describe('attest reference', () => {
  it('writes a section that a contract can hold, and says what it gives up', async () => {
    const said = await person.saysBare('attest', 'reference', await file('ref.bin', report()))
    expect(said.exit).toBe(0)
    expect(said.out).toContain('# WARNING: nobody verified this evidence')
    expect(said.out).toContain('waivedProtections')
    const contract = await file('ref.yaml', utf8(said.out))
    const words = ['attest', 'verify', person.file('ref.bin'), '--contract', contract, '--json']
    const verdict = await person.saysBare(...words, '--at', '2026-07-01T00:00:00Z')
    expect(verdict.exit).toBe(1)
    expect(verdict.json<{ entries: unknown[] }>().entries).toMatchObject([
      { refusal: { code: 'COLLATERAL_MISSING', field: 'vek' } },
    ])
  })

  it('says what a report of version 2 cannot tell, and the entry is refused by that name until it is there', async () => {
    const old = amd.make(amd.draft(clock.now(), 'genoa', 'VCEK', 2)).report
    const said = await person.saysBare('attest', 'reference', await file('old.bin', old))
    expect(said.exit).toBe(0)
    expect(said.out).toContain('# WARNING: generations is left out, and the entry refused until it is there')
    const words = [
      'attest',
      'verify',
      person.file('old.bin'),
      '--contract',
      await file('old.yaml', utf8(said.out)),
    ]
    const verdict = await person.saysBare(...words, '--at', '2026-07-01T00:00:00Z')
    expect(verdict.err).toContain('generations: it is left out; write it')
    expect(verdict.err).toContain('REFERENCE_VALUES_INVALID')
  })
})

describe('attest verify', () => {
  it('lets no hostile certificate write a line of its own', async () => {
    const draft = amd.draft(clock.now())
    const stranger = amd.make(draft)
    draft.vek.issuer = 'a\naccepted by entry 0'
    const folder = person.file('hostile-amd')
    await mkdir(folder)
    const { report, vek } = amd.make(draft)
    await writeFile(join(folder, 'vek.der'), vek)
    await writeFile(join(folder, 'chain.pem'), stranger.chain)
    await writeFile(join(folder, 'crl.der'), utf8(''))
    const bin = await file('hostile.bin', report)
    const contract = await file('hostile.yaml', utf8((await person.saysBare('attest', 'reference', bin)).out))
    const at = new Date(clock.now()).toISOString()
    const words = ['attest', 'verify', bin, '--contract', contract, '--at', at, '--collateral', folder]
    const { out, exit } = await person.saysBare(...words)
    expect(exit).toBe(1)
    expect(out).toContain('issued by a\\u{a}accepted by entry 0')
    expect(out).not.toMatch(/^accepted/m)
  })

  it('refuses what a made-up vendor signed, and says how to mend it', async () => {
    const draft = amd.draft(clock.now())
    const made = amd.make({ ...draft, crl: amd.draftList(draft) })
    const folder = person.file('fake-amd')
    await mkdir(folder)
    await writeFile(join(folder, 'vek.der'), made.vek)
    await writeFile(join(folder, 'chain.pem'), made.chain)
    await writeFile(join(folder, 'crl.der'), made.crl ?? new Uint8Array())
    const bin = await file('made.bin', made.report)
    const { out } = await person.saysBare('attest', 'reference', bin)
    const contract = await file('made.yaml', utf8(out))
    const at = new Date(clock.now()).toISOString()
    const said = await person.saysBare(
      ...['attest', 'verify', bin, '--contract', contract, '--at', at, '--collateral', folder],
    )
    expect(said.exit).toBe(1)
    expect(said.out).toContain('CHAIN_UNTRUSTED')
    expect(said.out).toContain('to mend')
  })

  it.each([
    [['--at', 'yesterday', '--contract', 'none.yaml']],
    [['--at', '2026-07-01T00:00:00Z', '--contract', 'none.yaml']],
    [['--at', '2026-07-01T00:00:00Z', '--contract', 'none.yaml', '--report-data', 'zz']],
  ])('ends with the code of a wrong command line for %j', async (words) => {
    const bin = await file('usage.bin', report())
    expect((await person.saysBare('attest', 'verify', bin, ...words)).exit).toBe(2)
  })
})

const captured = evidenceFolder ?? ''
describe.skipIf(!existsSync(captured))('captured evidence', () => {
  it('of TDX is accepted with its collateral by the section that `attest reference` wrote, and not by another', async () => {
    const folder = person.file('intel')
    await mkdir(folder)
    await copyFile(join(captured, 'tdx/phala_tdx_quote_collateral.json'), join(folder, 'collateral.json'))
    const quote = join(captured, 'tdx/phala_tdx_quote')
    const cases = JSON.parse(readFileSync(join(captured, 'tdx/cases.json'), 'utf8')) as {
      at: string
      evidence: { quote: string }
      production: boolean
    }[]
    const at = cases.find((item) => item.evidence.quote === 'phala_tdx_quote' && item.production)?.at ?? ''
    const given = ['--at', at, '--collateral', folder]
    const { out } = await person.saysBare('attest', 'reference', quote, ...given)
    const contract = await file('intel.yaml', utf8(out))
    const said = await person.saysBare('attest', 'verify', quote, '--contract', contract, ...given)
    expect(said.out).toContain('accepted')
    expect(said.exit).toBe(0)
    const other = await file(
      'other.yaml',
      utf8(out.replace(/measurement: .*/, `measurement: ["${'0'.repeat(96)}"]`)),
    )
    const refused = await person.saysBare('attest', 'verify', quote, '--contract', other, ...given)
    expect(refused.exit).toBe(1)
    expect(refused.out).toContain('MEASUREMENT_MISMATCH')
    const fetched = new CollateralFolder(person.file('fetched'))
    await mkdir(fetched.path)
    const asked = collateralAskOf({ kind: 'tdx', bytes: new Uint8Array(readFileSync(quote)) })
    const bundle = parseDcapCollateral(new Uint8Array(readFileSync(join(folder, 'collateral.json'))))
    await fetched.keep(asked ?? expect.fail('asks for nothing'), bundle)
    const again = ['--contract', contract, '--at', at, '--collateral', fetched.path]
    expect((await person.saysBare('attest', 'verify', quote, ...again)).exit).toBe(0)
  })

  it.each([
    ['az-snp-vtpm', 'az-snp-vtpm/coco_evidence-v1.json', 'serial console may reach the guest'],
    ['az-tdx-vtpm', 'az-tdx-vtpm/coco_evidence-v1.json', 'minimumTcb.evaluationDataNumber is left out'],
  ])('of Azure is told as %s, with the registers of its vTPM', async (kind, name, warning) => {
    const path = join(captured, name)
    const told = await person.saysBare('attest', 'inspect', '--json', path)
    expect(told.json()).toMatchObject({ kind, unverifiedFacts: { secureBoot: true } })
    const said = await person.saysBare('attest', 'reference', path)
    expect(said.out).toMatch(/^ {4}pcr4: \["[0-9a-f]{64}"\]$/m)
    expect(said.out).toContain(warning)
  })

  it.each([
    ['maa', 'azure-snp-genoa.jwt', 'maa-jwks.json', 'NOTHING MEASURES THE GUEST'],
    ['gcp-cs', 'prod-token.jwt', 'google-cs-jwks.json', 'the host can change memory'],
  ])(
    'of a token (%s) is accepted by the section written for it, and by no other key',
    async (folder, name, keys, warning) => {
      const path = join(captured, folder, name)
      const collateral = person.file(`keys-${folder}`)
      await mkdir(collateral)
      await copyFile(join(captured, folder, keys), join(collateral, 'jwks.json'))
      const cases = JSON.parse(readFileSync(join(captured, folder, 'cases.json'), 'utf8')) as {
        at: string
        production: boolean
      }[]
      const given = ['--at', cases.find(({ production }) => production)?.at ?? '', '--collateral', collateral]
      const { out } = await person.saysBare('attest', 'reference', path, ...given)
      expect(out).toContain(warning)
      const contract = await file(`${folder}.yaml`, utf8(out))
      const verdict = await person.saysBare('attest', 'verify', path, '--contract', contract, ...given)
      expect([verdict.exit, verdict.out.includes('accepted')]).toEqual([0, true])
      const other = await file(
        `${folder}-other.yaml`,
        utf8(out.replace(/keys: .*/, `keys: ["${'ab'.repeat(32)}"]`)),
      )
      const refused = await person.saysBare('attest', 'verify', path, '--contract', other, ...given)
      expect([refused.exit, refused.out.includes('KEY_UNKNOWN')]).toEqual([1, true])
    },
  )
})
