import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { installationRoot, measureBuild, measuredFiles } from './measurement.js'

const files = {
  'dist/apps/enclave/src/main.js': 'main',
  'dist/libs/canonical/src/index.js': 'index',
  'dist/libs/engine/src/child.node.js': 'child',
  'package.json': '{}',
  'package-lock.json': '{}',
}

describe('measureBuild', () => {
  let root: string

  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'sealroom-measurement-'))
    for (const [path, text] of Object.entries(files)) await write(path, text)
  })

  afterEach(async () => {
    await rm(root, { recursive: true })
  })

  it('is the same for the same files, wherever they lie', async () => {
    const first = await measureBuild(root)
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(await measureBuild(root)).toBe(first)
    expect((await measuredFiles(root)).map(({ path }) => path)).toEqual(Object.keys(files).sort())
  })

  it.each(Object.keys(files))('changes with %s', async (path) => {
    const before = await measureBuild(root)
    await write(path, 'changed')
    const changed = await measureBuild(root)
    await rm(join(root, path))
    const removed = await measureBuild(root)
    expect(new Set([before, changed, removed]).size).toBe(3)
  })

  it('changes with a file that is added or moved', async () => {
    const before = await measureBuild(root)
    await write('dist/libs/engine/src/extra.js', 'child')
    expect(await measureBuild(root)).not.toBe(before)
  })

  it('does not look at tests, fakes and other programs', async () => {
    const before = await measureBuild(root)
    await write('dist/apps/enclave/src/main.spec.js', 'test')
    await write('dist/libs/testing/src/index.js', 'fake')
    await write('dist/apps/coordinator/src/main.js', 'another')
    expect(await measureBuild(root)).toBe(before)
  })

  it('refuses a link, which could be turned elsewhere afterwards', async () => {
    await symlink('/etc/hostname', join(root, 'dist/libs/link.js'))
    await expect(measureBuild(root)).rejects.toThrow('is a link')
  })

  it('finds its own installation', async () => {
    expect((await measuredFiles(installationRoot())).map(({ path }) => path)).toContain('package-lock.json')
  })
})
