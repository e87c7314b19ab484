import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { QuoteVerifier, verify, type Collateral } from '@phala/dcap-qvl'
import { describe, expect, it } from 'vitest'
import { judgeSgxQuote, judgeTdxQuote, type EvidenceVerdict } from '#libs/attestation'
import { fromBase64 } from '#libs/canonical'
import { FakeIntel, collateralFile, flipBit, slow, type QuoteForgery } from '#libs/testing'
import { readEvidenceCases } from './vectors/attestation-evidence.js'

// Another implementation of the same specifications, by other people. Where the two differ, the table of known
// differences says why, and that the stricter of the two is this project's.
const now = Date.parse('2026-11-23T12:00:00.000Z')
const intel = new FakeIntel()

/** The status by the other implementation; null: it refuses. */
function secondOpinion(judge: () => { status: string }): string | null {
  try {
    return judge().status
  } catch {
    // Its errors have no codes: that it refuses is all it says.
    return null
  }
}

async function opinions(forgery: QuoteForgery, change = (quote: Uint8Array) => quote) {
  const made = intel.make(forgery)
  const quote = change(made.quote)
  const file = collateralFile(made.collateral)
  const collateral = JSON.parse(new TextDecoder().decode(file)) as Collateral
  const ours = await judgeTdxQuote({ quote, collateral: file }, { at: now, roots: [made.root] })
  const chain = new TextDecoder().decode(made.collateral['pck_crl_issuer_chain'])
  const root = Buffer.from(fromBase64(chain.split('-----')[6]?.replaceAll('\n', '') ?? ''))
  const verifier = QuoteVerifier.newWithRootCa(root)
  return { ours, theirs: secondOpinion(() => verifier.verify(quote, collateral, now / 1000)) }
}

describe('a second opinion on quotes of the fake Intel', () => {
  it('is the same on a genuine one', async () => {
    const { ours, theirs } = await opinions(intel.draft(now))
    expect([ours.production, theirs]).toEqual([true, 'UpToDate'])
  })

  it('is the same on which firmware is up to date', async () => {
    const svn = fc.integer({ min: 1, max: 7 })
    const changes = fc.record({
      component: fc.nat({ max: 15 }),
      componentSvn: svn,
      pceSvn: fc.constantFrom(4, 5, 10, 11, 12),
      teeSvn: svn,
      quotingEnclave: fc.constantFrom(2, 3, 4, 5),
      status: fc.constantFrom('UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'OutOfDate'),
    })
    await fc.assert(
      fc.asyncProperty(changes, async (change) => {
        const forgery = intel.draft(now)
        forgery.platform.components[change.component] = change.componentSvn
        forgery.platform.pceSvn = change.pceSvn
        forgery.body[7] = change.teeSvn
        forgery.qeReport[258] = change.quotingEnclave
        const [level] = forgery.tcbInfo['tcbLevels'] as Record<string, unknown>[]
        Object.assign(level ?? {}, { tcbStatus: change.status })
        const { ours, theirs } = await opinions(forgery)
        expect(ours.authentic).toBe(true)
        expect(ours.production).toBe(theirs === 'UpToDate')
        // It has no word for what is below every level.
        expect(ours.facts['tcb_status'] === null).toBe(theirs === null)
      }),
      { numRuns: slow ? 3000 : 100 },
    )
  })

  it('is the same on a quote with a bit flipped', async () => {
    const { quote } = intel.make(intel.draft(now))
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: quote.length * 8 - 1 }), async (bit) => {
        const { ours, theirs } = await opinions(intel.draft(now), (bytes) =>
          flipBit(bytes, bit % (bytes.length * 8)),
        )
        if (ours.authentic) expect(theirs).not.toBe(null)
      }),
      { numRuns: slow ? 3000 : 100 },
    )
  })

  it.each<[string, (f: QuoteForgery) => void, string]>([
    ['an empty revocation list', (f) => (f.onTheWay.pck_crl = () => new Uint8Array()), 'COLLATERAL_MISSING'],
    ['bytes after the signed length', (f) => (f.padding = Uint8Array.of(1)), 'TRAILING_DATA'],
    ['a TDX module that another signed', (f) => f.body.fill(1, 64, 112), 'MEASUREMENT_MISMATCH'],
    ['a module below the level of its identity', idle, 'TCB_OUT_OF_DATE'],
  ])('differs, as it is known to, on %s', async (_name, change, refusal) => {
    const forgery = intel.draft(now)
    change(forgery)
    const { ours, theirs } = await opinions(forgery)
    expect(ours.refusal).toBe(refusal)
    expect(theirs).toBe('UpToDate')
  })
})

const folder = join(process.env['SEALROOM_EVIDENCE'] ?? '/nonexistent', 'tdx')
const cases = existsSync(join(folder, 'cases.json'))
  ? readEvidenceCases(folder).filter(({ evidence }) => typeof evidence['collateral'] === 'string')
  : []

describe('a second opinion on captured quotes', () => {
  it.skipIf(cases.length > 0)('needs the folder that SEALROOM_EVIDENCE names', ({ skip }) => {
    skip('0 cases were run: SEALROOM_EVIDENCE names no folder with quotes')
  })

  it.each(cases.map((item) => [item.id, item] as const))('is the same on %s', async (_id, item) => {
    const at = Date.parse(item.at)
    const quote = readFileSync(join(folder, String(item.evidence['quote'])))
    const file = readFileSync(join(folder, String(item.evidence['collateral'])))
    const collateral = JSON.parse(file.toString()) as Collateral
    // It is not asked for one TEE: it judges whichever the quote is of.
    const asTd = await judgeTdxQuote({ quote, collateral: file }, { at })
    const isOfEnclave = asTd.refusal === 'WRONG_TYPE'
    const ours: EvidenceVerdict = isOfEnclave
      ? await judgeSgxQuote({ quote, collateral: file }, { at })
      : asTd
    const theirs = secondOpinion(() => verify(quote, collateral, at / 1000))
    if (ours.production) expect(theirs).toBe('UpToDate')
    if (theirs !== null) expect([ours.authentic, ours.facts['tcb_status']]).toEqual([true, theirs])
    if (theirs === 'UpToDate') expect(ours.production).toBe(true)
  })
})

// It judges the module by the platform's levels alone, where the identity is what counts.
function idle(f: QuoteForgery): void {
  const [identity] = f.tcbInfo['tdxModuleIdentities'] as {
    tcbLevels: { tcb: unknown; tcbStatus: string }[]
  }[]
  if (identity !== undefined) identity.tcbLevels = [{ tcb: { isvsvn: 9 }, tcbStatus: 'UpToDate' }]
}
