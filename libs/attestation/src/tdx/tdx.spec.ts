import { describe, expect, it } from 'vitest'
import { FakeIntel, tdField, refusalOf, type QuoteForgery } from '#libs/testing'
import { Checklist } from '../checklist.js'
import type { AttestationErrorCode } from '../errors.js'
import type { Evidence } from '../evidence.js'
import { parseReferenceValues } from '../reference-values.js'
import { tdxVerifier, tdxVerifierWith } from './verifier.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const intel = new FakeIntel()
const entry: Record<string, unknown> = {
  tee: 'tdx',
  measurement: ['d1'.repeat(48)],
  minimumTcb: { evaluationDataNumber: 17 },
  maximumAgeSeconds: 300,
}

interface Appraisal {
  forgery: QuoteForgery
  entry: Record<string, unknown>
}
type Change = (a: Appraisal) => void

async function appraise({ forgery, entry }: Appraisal): Promise<Checklist> {
  const { quote, collateral, root } = intel.make(forgery)
  const verifier = tdxVerifierWith([root])
  const checklist = new Checklist()
  const evidence: Evidence = { kind: 'tdx', bytes: quote, collateral }
  const authentic = await verifier.authenticate(evidence, { now, checklist })
  verifier.appraise(authentic, parseReferenceValues(entry), { now, checklist })
  return checklist
}

const td =
  (field: keyof typeof tdField, ...bytes: number[]): Change =>
  ({ forgery }) => {
    forgery.body.set(bytes, tdField[field])
  }
const demand =
  (fields: Record<string, unknown>): Change =>
  (a) => {
    a.entry = { ...a.entry, ...fields }
  }
const all =
  (...changes: Change[]): Change =>
  (a) => {
    for (const change of changes) change(a)
  }
const later: Change = (a) => {
  a.forgery = intel.draft(now, 'td 1.5 v5')
}
const status =
  (tcbStatus: string, ...advisoryIDs: string[]): Change =>
  ({ forgery }) => {
    const [level] = forgery.tcbInfo['tcbLevels'] as Record<string, unknown>[]
    Object.assign(level ?? {}, { tcbStatus, advisoryIDs })
  }
const belowEveryLevel: Change = ({ forgery }) => {
  forgery.platform.components[0] = 0
}
const filled = (byte: number) => [...new Uint8Array(48).fill(byte)]

describe('the appraisal of a TD', () => {
  it('accepts one that meets the entry, and shows what was compared', async () => {
    const { checks } = await appraise({ forgery: intel.draft(now), entry })
    expect(checks.every(({ ok }) => ok)).toBe(true)
    expect(checks.map(({ check }) => check)).toEqual([
      'signature',
      'tdAttributes.debug',
      'tdAttributes.migratable',
      'mrServiceTd',
      'reserved bits',
      'tdAttributes.septVeDisable',
      'tcbEvaluationDataNumber',
      'tcbStatus',
      'advisories',
      'mrConfigId',
      'mrOwner',
      'mrOwnerConfig',
      'rtmr0',
      'rtmr1',
      'rtmr2',
      'rtmr3',
    ])
  })

  it.each<[string, Change]>([
    ['TD 1.5 without a service TD', later],
    [
      'SEPT_VE_DISABLE off where that is allowed',
      all(td('tdAttributes', 0, 0, 0, 0), demand({ septVe: 'enabled' })),
    ],
    [
      'a status that is named',
      all(status('SWHardeningNeeded'), demand({ tcbStatus: ['SWHardeningNeeded'] })),
    ],
    [
      'an advisory that is waived, with its status',
      all(
        status('OutOfDate', 'INTEL-SA-00837'),
        demand({ tcbStatus: ['OutOfDate'], advisories: ['INTEL-SA-00837'] }),
      ),
    ],
    ['a family that is named', demand({ fmspc: ['90c06f000000', 'b0c06f000000'] })],
    ['a module that is named', demand({ mrSeam: ['5e'.repeat(48)] })],
    [
      'a configuration that is named',
      all(td('mrConfigId', ...filled(9)), demand({ mrConfigId: ['09'.repeat(48)] })),
    ],
    [
      'an RTMR that is named',
      all(td('rtmr2', ...filled(9)), demand({ rtmr2: ['08'.repeat(48), '09'.repeat(48)] })),
    ],
  ])('accepts %s', async (_name, change) => {
    const appraisal = { forgery: intel.draft(now), entry: { ...entry } }
    change(appraisal)
    await appraise(appraisal)
  })

  it.each<[string, Change, AttestationErrorCode, string]>([
    ['debug', td('tdAttributes', 1), 'DEBUG_ENABLED', 'tdAttributes.debug'],
    ['MIGRATABLE', td('tdAttributes', 0, 0, 0, 0x30), 'MIGRATION_ALLOWED', 'tdAttributes.migratable'],
    ['a service TD', all(later, td('mrServiceTd', 1)), 'MIGRATION_ALLOWED', 'mrServiceTd'],
    ['a reserved bit', td('tdAttributes', 4), 'RESERVED_BITS', 'reserved bits'],
    ['SEPT_VE_DISABLE off', td('tdAttributes', 0, 0, 0, 0), 'POLICY', 'tdAttributes.septVeDisable'],
    [
      'TCB information that is too old',
      demand({ minimumTcb: { evaluationDataNumber: 18 } }),
      'COLLATERAL_MISMATCH',
      'tcbEvaluationDataNumber',
    ],
    ['a status that is not named', status('SWHardeningNeeded'), 'TCB_NOT_UP_TO_DATE', 'tcbStatus'],
    ['firmware that is out of date', status('OutOfDate'), 'TCB_OUT_OF_DATE', 'tcbStatus'],
    [
      'firmware below every level, whatever is named',
      all(belowEveryLevel, demand({ tcbStatus: ['OutOfDate', 'OutOfDateConfigurationNeeded'] })),
      'TCB_OUT_OF_DATE',
      'tcbStatus',
    ],
    ['a revoked level', all(status('Revoked'), demand({ tcbStatus: ['OutOfDate'] })), 'REVOKED', 'tcbStatus'],
    [
      'an advisory that nobody waived',
      all(status('OutOfDate', 'INTEL-SA-00837'), demand({ tcbStatus: ['OutOfDate'] })),
      'POLICY',
      'advisories',
    ],
    ['an advisory though up to date', status('UpToDate', 'INTEL-SA-00837'), 'POLICY', 'advisories'],
    ['another family', demand({ fmspc: ['90c06f000000'] }), 'POLICY', 'fmspc'],
    ['another module', demand({ mrSeam: ['00'.repeat(48)] }), 'POLICY', 'mrSeam'],
    ...(['mrConfigId', 'mrOwner', 'mrOwnerConfig', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const).flatMap(
      (field): [string, Change, AttestationErrorCode, string][] => [
        [`${field} where none is named`, td(field, 1), 'POLICY', field],
        [`no ${field} where one is named`, demand({ [field]: ['09'.repeat(48)] }), 'POLICY', field],
      ],
    ),
  ])('refuses %s', async (_name, change, code, field) => {
    const appraisal = { forgery: intel.draft(now), entry: { ...entry } }
    change(appraisal)
    expect(await refusalOf(() => appraise(appraisal))).toMatchObject({ code, stage: 'appraise', field })
  })

  it('refuses an entry for another TEE', async () => {
    const other = {
      tee: 'simulated',
      measurement: ['3e'.repeat(32)],
      key: 'A'.repeat(43),
      maximumAgeSeconds: 300,
    }
    const error = await refusalOf(() => appraise({ forgery: intel.draft(now), entry: other }))
    expect(error.code).toBe('TEE_MISMATCH')
  })

  it('needs collateral, and trusts Intel alone unless told otherwise', async () => {
    const { quote, collateral } = intel.make(intel.draft(now))
    const context = { now, checklist: new Checklist() }
    const bare = await refusalOf(() =>
      tdxVerifierWith([]).authenticate({ kind: 'tdx', bytes: quote }, context),
    )
    expect(bare.code).toBe('CHAIN_UNTRUSTED')
    const fake = await refusalOf(() =>
      tdxVerifier.authenticate({ kind: 'tdx', bytes: quote, collateral }, context),
    )
    expect(fake.code).toBe('CHAIN_UNTRUSTED')
    const made = intel.make(intel.draft(now))
    const missing = await refusalOf(() =>
      tdxVerifierWith([made.root]).authenticate({ kind: 'tdx', bytes: made.quote }, context),
    )
    expect(missing.code).toBe('COLLATERAL_MISSING')
  })
})
