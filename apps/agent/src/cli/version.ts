import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The version of the package that this file belongs to, compiled or not. */
export async function packageVersion(): Promise<string> {
  for (
    let folder = dirname(fileURLToPath(import.meta.url));
    folder !== dirname(folder);
    folder = dirname(folder)
  ) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => null)
    if (text === null) continue
    const { name, version } = JSON.parse(text) as { name?: string; version?: string }
    if (name === 'sealroom' && version !== undefined) return version
  }
  return 'unknown'
}
