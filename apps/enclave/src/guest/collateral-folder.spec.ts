import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  collateralAskOf,
  collateralFileName,
  maximumCollateralLength,
  writeCollateral,
} from '#libs/attestation'
import { toHex, utf8 } from '#libs/canonical'
import { aClock, collateralFile, FakeIntel } from '#libs/testing'
import { readCollateralFolder } from './collateral-folder.js'

const intel = new FakeIntel()
const { quote, collateral } = intel.make(intel.draft(aClock().now()))
const evidence = { kind: 'tdx', bytes: quote } as const
const hexOf = (files: Readonly<Record<string, Uint8Array>>) =>
  Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, toHex(bytes)]))
const kept = collateralFileName(collateralAskOf(evidence) ?? expect.fail('asks for nothing'))

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sealroom-beside-'))
})
afterAll(async () => {
  await rm(root, { recursive: true })
})

async function folderOf(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const folder = join(root, name)
  await mkdir(folder)
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(folder, file), bytes)
  return folder
}

describe('a folder of collateral beside the worker', () => {
  it.each([
    [
      'single files',
      Object.fromEntries(Object.entries(collateral).map(([name, bytes]) => [`${name}.x`, bytes])),
    ],
    ['one bundle', { 'collateral.json': collateralFile(collateral) }],
    ['what was fetched', { [kept]: writeCollateral([collateral]) }],
  ])('is read as %s', async (name, files) => {
    expect(hexOf(await readCollateralFolder(await folderOf(name, files), evidence))).toEqual(
      hexOf(collateral),
    )
  })

  it.each<[string, string, (folder: string) => Promise<void>]>([
    ['that is not there', 'USAGE', (folder) => rm(folder, { recursive: true })],
    [
      'with two files of one name',
      'MALFORMED',
      (folder) => writeFile(join(folder, 'tcb_info.txt'), utf8('a')),
    ],
    [
      'with a file too large',
      'USAGE',
      (folder) => truncate(join(folder, 'pck_crl'), maximumCollateralLength + 1),
    ],
    [
      'with a file without an end',
      'USAGE',
      async (folder) => {
        await rm(join(folder, 'pck_crl'))
        await symlink('/dev/zero', join(folder, 'pck_crl'))
      },
    ],
  ])('%s is refused', async (name, code, change) => {
    const folder = await folderOf(name, collateral)
    await change(folder)
    await expect(readCollateralFolder(folder, evidence)).rejects.toMatchObject({ code })
  })
})
