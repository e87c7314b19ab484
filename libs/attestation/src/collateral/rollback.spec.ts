import { describe, expect, it } from 'vitest'
import { utf8 } from '#libs/canonical'
import { aClock, FakeAmd, FakeIntel, makeKey, type QuoteForgery, type SnpForgery } from '#libs/testing'
import type { Collateral } from '../evidence.js'
import { rolledBackFiles } from './rollback.js'

const { now } = aClock()
const at = now()
const hour = 3_600_000
const intel = new FakeIntel()
const amd = new FakeAmd()
const genoa: string[] = []
const roots = { amd: { milan: [], genoa, turin: [] }, intel: [] as string[] }
const time = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`

function tdx(change: (forgery: QuoteForgery) => void = () => undefined, isTrusted = true): Collateral {
  const forgery = intel.draft(at)
  change(forgery)
  const { collateral, root } = intel.make(forgery)
  if (isTrusted) roots.intel.push(root)
  return collateral
}

function snp(change: (forgery: SnpForgery) => void = () => undefined, isTrusted = true): Collateral {
  const forgery = amd.draft(at)
  forgery.crl = amd.draftList(forgery)
  change(forgery)
  const { vek, chain, crl, root } = amd.make(forgery)
  if (isTrusted) genoa.push(root)
  return { vek, chain, ...(crl === undefined ? {} : { crl }) }
}

const newerOf = {
  tcb_info: (f: QuoteForgery) => Object.assign(f.tcbInfo, { issueDate: time(at - hour) }),
  qe_identity: (f: QuoteForgery) => Object.assign(f.qeIdentity, { issueDate: time(at - hour) }),
  root_ca_crl: (f: QuoteForgery) => Object.assign(f.rootList, { from: at - hour }),
  pck_crl: (f: QuoteForgery) => Object.assign(f.pckList, { from: at - hour }),
}
const names = Object.keys(newerOf) as (keyof typeof newerOf)[]
const newest = (f: QuoteForgery): void => {
  for (const name of names) newerOf[name](f)
}
const newList = (f: SnpForgery): void => {
  Object.assign(f.crl ?? {}, { from: at - hour })
}
const trust = { at, roots }

describe('collateral of TDX that is offered', () => {
  it('takes nothing back where it is as new, or newer', () => {
    expect(rolledBackFiles('tdx', tdx(), tdx(), trust)).toEqual([])
    expect(rolledBackFiles('tdx', tdx(), tdx(newest), trust)).toEqual([])
  })

  it.each(names)('takes back an older %s, and says so of it alone', (name) => {
    const offered = tdx((f) => {
      for (const other of names) if (other !== name) newerOf[other](f)
    })
    expect(rolledBackFiles('tdx', tdx(newest), offered, trust)).toEqual([name])
  })

  it('takes everything back where it is rubbish, or under another root', () => {
    expect(rolledBackFiles('tdx', tdx(), {}, trust)).toEqual(names)
    expect(rolledBackFiles('tdx', tdx(), tdx(newest, false), trust)).toEqual(names)
    const signer = makeKey('ecdsa-sha256', { curve: 'P-256' })
    const forged = tdx((f) => {
      newest(f)
      f.tcbInfoSigner = signer
    })
    expect(rolledBackFiles('tdx', tdx(), forged, trust)).toEqual(['tcb_info'])
  })

  it('replaces what is known and not genuine, or no longer valid', () => {
    expect(rolledBackFiles('tdx', tdx(newest, false), tdx(), trust)).toEqual([])
    const over = (f: QuoteForgery) => Object.assign(f.pckList, { from: at - hour, until: at - 1000 })
    expect(rolledBackFiles('tdx', tdx(over), tdx(), trust)).toEqual([])
  })
})

describe('collateral of SEV-SNP that is offered', () => {
  it('takes nothing back where it is as new, or newer', () => {
    expect(rolledBackFiles('sev-snp', snp(), snp(), trust)).toEqual([])
    expect(rolledBackFiles('sev-snp', snp(), snp(newList), trust)).toEqual([])
  })

  it.each<[string, () => Collateral]>([
    ['an older list', () => snp()],
    ['no list', () => snp((f) => (f.crl = null))],
    ['a list of nobody', () => snp(newList, false)],
    ['rubbish', () => ({ vek: utf8('a'), chain: utf8('b'), crl: utf8('c') })],
  ])('takes back a list that names a revoked authority by %s', (_, offered) => {
    const known = snp((f) => {
      newList(f)
      f.crl?.revoked.push(2)
    })
    expect(rolledBackFiles('sev-snp', known, offered(), trust)).toEqual(['crl'])
  })
})
