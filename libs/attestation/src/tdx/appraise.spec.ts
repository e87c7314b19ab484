import { describe, expect, it } from 'vitest'
import { fromHex } from '#libs/canonical'
import { Checklist } from '../checklist.js'
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import { parseReferenceValues, type TdxReferenceValues } from '../reference-values.js'
import { appraiseTdxClaims } from './appraise.js'
import { readTdAttributes } from './attributes.js'
import type { TdxClaims } from './claims.js'

const zero = '00'.repeat(48)
const one = '01'.repeat(48)

/** What a TD says, with its attributes as they stand in the report, and the entry that it must meet. */
interface Appraisal {
  claims: { -readonly [Name in keyof TdxClaims]: TdxClaims[Name] }
  /** 8 bytes in hexadecimal, least significant first. */
  tdAttributes: string
  xfam: string
  entry: Record<string, unknown>
}

function genuine(): Appraisal {
  return {
    claims: {
      version: 5,
      fmspc: '00806f050000',
      tcbStatus: 'UpToDate',
      advisories: [],
      evaluationDataNumber: 17,
      collateralUntil: '2026-12-23T12:00:00.000Z',
      debug: false,
      migratable: false,
      septVeDisable: true,
      reserved: [],
      teeTcbSvn: '0d010800000000000000000000000000',
      mrSeam: '5e'.repeat(48),
      mrTd: '34'.repeat(48),
      mrConfigId: zero,
      mrOwner: zero,
      mrOwnerConfig: zero,
      rtmr0: zero,
      rtmr1: zero,
      rtmr2: zero,
      rtmr3: zero,
      mrServiceTd: zero,
    },
    tdAttributes: '0000001000000000',
    xfam: 'e71a060000000000',
    entry: {
      tee: 'tdx',
      measurement: ['34'.repeat(48)],
      minimumTcb: { evaluationDataNumber: 17 },
      maximumAgeSeconds: 300,
    },
  }
}

function refusalOf({ claims, tdAttributes, xfam, entry }: Appraisal): [AttestationErrorCode, string] | null {
  const { reserved, ...flags } = readTdAttributes(fromHex(tdAttributes), fromHex(xfam))
  const reference = parseReferenceValues(entry) as TdxReferenceValues
  try {
    appraiseTdxClaims({ ...claims, ...flags, reserved: [...reserved] }, reference, new Checklist())
    return null
  } catch (error) {
    if (error instanceof AttestationError) return [error.code, error.field]
    throw error
  }
}

const says = (claims: Partial<TdxClaims>) => (a: Appraisal) => {
  Object.assign(a.claims, claims)
}
const demands = (fields: Record<string, unknown>) => (a: Appraisal) => {
  Object.assign(a.entry, fields)
}
const attributes = (hex: string) => (a: Appraisal) => {
  a.tdAttributes = hex
}
const xfam = (hex: string) => (a: Appraisal) => {
  a.xfam = hex
}
const registers = ['mrConfigId', 'mrOwner', 'mrOwnerConfig', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const
const states = ['SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded'] as const

describe('the appraisal of a TD', () => {
  type Change = (a: Appraisal) => void
  const both =
    (...changes: Change[]): Change =>
    (a) => {
      for (const change of changes) change(a)
    }

  it.each<[string, Change]>([
    ['a TD that meets the entry', () => undefined],
    ['a TD of a module without service TDs', says({ mrServiceTd: null })],
    ['features of the TD’s own', attributes('000000d800000080')],
    ['newer collateral', says({ evaluationDataNumber: 18 })],
    ['a state that is named', both(says({ tcbStatus: 'OutOfDate' }), demands({ tcbStatus: ['OutOfDate'] }))],
    ['pages that may be taken away', both(attributes('0000000000000000'), demands({ septVe: 'enabled' }))],
    [
      'an advisory that is waived',
      both(says({ advisories: ['INTEL-SA-00001'] }), demands({ advisories: ['INTEL-SA-00001'] })),
    ],
    ...registers.map((name): [string, Change] => [
      `${name} as it is named`,
      both(says({ [name]: one }), demands({ [name]: [zero, one] })),
    ]),
  ])('accepts %s', (_name, change) => {
    const appraisal = genuine()
    change(appraisal)
    expect(refusalOf(appraisal)).toBe(null)
  })

  it.each<[string, Change, AttestationErrorCode, string]>([
    ['debug', attributes('0100001000000000'), 'DEBUG_ENABLED', 'tdAttributes.debug'],
    [
      'a TD that can be moved',
      attributes('0000003000000000'),
      'MIGRATION_ALLOWED',
      'tdAttributes.migratable',
    ],
    ['a service TD', says({ mrServiceTd: one }), 'MIGRATION_ALLOWED', 'mrServiceTd'],
    ['profiling by the host', attributes('2000001000000000'), 'RESERVED_BITS', 'reserved bits'],
    ['an attribute without a meaning', attributes('0000001001000000'), 'RESERVED_BITS', 'reserved bits'],
    ['a feature without a meaning', xfam('e71a060000000080'), 'RESERVED_BITS', 'reserved bits'],
    ['a TD without SSE', xfam('e51a060000000000'), 'RESERVED_BITS', 'reserved bits'],
    ['pages that may be taken away', attributes('0000000000000000'), 'POLICY', 'tdAttributes.septVeDisable'],
    [
      'collateral from before the least evaluation',
      says({ evaluationDataNumber: 16 }),
      'COLLATERAL_MISMATCH',
      'tcbEvaluationDataNumber',
    ],
    ['firmware below every level', says({ tcbStatus: null }), 'TCB_OUT_OF_DATE', 'tcbStatus'],
    ['firmware that is out of date', says({ tcbStatus: 'OutOfDate' }), 'TCB_OUT_OF_DATE', 'tcbStatus'],
    ['revoked firmware', says({ tcbStatus: 'Revoked' }), 'REVOKED', 'tcbStatus'],
    ...states.map((tcbStatus): [string, Change, AttestationErrorCode, string] => [
      tcbStatus,
      says({ tcbStatus }),
      'TCB_NOT_UP_TO_DATE',
      'tcbStatus',
    ]),
    [
      'another state than the one named',
      both(says({ tcbStatus: 'OutOfDate' }), demands({ tcbStatus: [...states] })),
      'TCB_OUT_OF_DATE',
      'tcbStatus',
    ],
    ['an advisory', says({ advisories: ['INTEL-SA-00001'] }), 'POLICY', 'advisories'],
    [
      'an advisory beside one that is waived',
      both(
        says({ advisories: ['INTEL-SA-00001', 'INTEL-SA-00002'] }),
        demands({ advisories: ['INTEL-SA-00001'] }),
      ),
      'POLICY',
      'advisories',
    ],
    ['another family', demands({ fmspc: ['00906ed50000'] }), 'POLICY', 'fmspc'],
    ['another module', demands({ mrSeam: [one] }), 'POLICY', 'mrSeam'],
    ...registers.flatMap((name): [string, Change, AttestationErrorCode, string][] => [
      [`${name} that nobody named`, says({ [name]: one }), 'POLICY', name],
      [`no ${name} where one is named`, demands({ [name]: [one] }), 'POLICY', name],
    ]),
  ])('refuses %s', (_name, change, code, field) => {
    const appraisal = genuine()
    change(appraisal)
    expect(refusalOf(appraisal)).toEqual([code, field])
  })
})
