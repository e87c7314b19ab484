import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '#libs/canonical'
import { aClock, collateralFile, FakeIntel } from '#libs/testing'
import { collateralAskOf } from './ask.js'
import { collateralFileName, collateralFilesFor, parseCollateralFiles } from './collateral-files.js'
import { writeCollateral } from './collateral-text.js'

const intel = new FakeIntel()
const { quote, collateral } = intel.make(intel.draft(aClock().now()))
const evidence = { kind: 'tdx', bytes: quote } as const
const hexOf = (files: Readonly<Record<string, Uint8Array>>) =>
  Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, toHex(bytes)]))
const kept = collateralFileName(collateralAskOf(evidence) ?? expect.fail('asks for nothing'))

describe('files of collateral', () => {
  it('are those named by what they are, whatever their ending, and nothing beside them', () => {
    const folder = ['notes.txt', 'vek', 'chain.pem', 'collateral.json', 'tcb_info.json', 'vek-old.der', kept]
    expect(collateralFilesFor(evidence, folder)).toEqual([
      'vek',
      'chain.pem',
      'collateral.json',
      'tcb_info.json',
    ])
  })

  it('are else the one kept for what the evidence asks for, and for evidence that asks for nothing none', () => {
    expect(collateralFilesFor(evidence, [kept, 'tdx-000000000000-platform.json'])).toEqual([kept])
    expect(collateralFilesFor({ kind: 'nitro', bytes: utf8('') }, [kept])).toEqual([])
  })

  it('hold the same in each of their three forms', () => {
    const single = Object.entries(collateral).map(([name, bytes]) => [`${name}.bin`, bytes] as const)
    expect(hexOf(parseCollateralFiles(single))).toEqual(hexOf(collateral))
    expect(hexOf(parseCollateralFiles([['collateral.json', collateralFile(collateral)]]))).toEqual(
      hexOf(collateral),
    )
    expect(hexOf(parseCollateralFiles([[kept, writeCollateral([collateral])]]))).toEqual(hexOf(collateral))
  })

  it.each<[string, readonly (readonly [string, Uint8Array])[]]>([
    [
      'two of one name',
      [
        ['vek.der', utf8('a')],
        ['vek.pem', utf8('b')],
      ],
    ],
    [
      'a bundle beside one of its parts',
      [
        ['collateral.json', collateralFile(collateral)],
        ['pck_crl', utf8('a')],
      ],
    ],
    ['a bundle that is none', [['collateral.json', utf8('[]')]]],
    ['a kept file that is damaged', [[kept, utf8('[{"vek":"*"}]')]]],
  ])('are refused for %s', (_, files) => {
    expect(() => parseCollateralFiles(files)).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
  })
})
