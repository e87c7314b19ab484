/**
 * A folder of collateral: one file for what one ask names. Filled by hand or by `sealroom attest fetch-collateral` where a site has no
 * internet, by the daemon itself where it has. A file that is damaged counts as absent; nothing in the folder is trusted.
 */
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '#libs/canonical'
import {
  collateralFileName,
  maximumCollateralTextLength,
  parseCollateral,
  writeCollateral,
  type Collateral,
  type CollateralAsk,
  type CollateralSource,
} from '#libs/attestation'
import { readBounded, writeDurably } from '../durable-file.js'

/** More files than this: the oldest go. */
const maximumFiles = 1000

/** Collateral with when it was put there, in milliseconds. */
export interface KeptCollateral {
  readonly collateral: Collateral
  readonly keptAt: number
}

export class CollateralFolder implements CollateralSource {
  constructor(readonly path: string) {}

  async find(ask: CollateralAsk): Promise<Collateral | undefined> {
    return (await this.kept(ask))?.collateral
  }

  /** What is kept for an ask, with its age. */
  async kept(ask: CollateralAsk): Promise<KeptCollateral | undefined> {
    const path = this.pathOf(ask)
    const keptAt = await timeOf(path)
    if (keptAt === undefined) return undefined
    try {
      const [collateral] = parseCollateral(await readBounded(path, maximumCollateralTextLength))
      return collateral === undefined ? undefined : { collateral, keptAt }
    } catch (error) {
      // Damaged, too large, or gone since: as good as absent. What is absent refuses, or is fetched anew over it.
      if (error instanceof CodedError) return undefined
      throw error
    }
  }

  /**
   * Keeps collateral, whole or not at all; answers where.
   * @throws AgentError `FILE_UNREADABLE` where it cannot be written.
   */
  async keep(ask: CollateralAsk, collateral: Collateral): Promise<string> {
    const path = this.pathOf(ask)
    await writeDurably(path, writeCollateral([collateral]), { replace: true })
    await this.removeOldest()
    return path
  }

  private pathOf(ask: CollateralAsk): string {
    return join(this.path, collateralFileName(ask))
  }

  private async removeOldest(): Promise<void> {
    const names = (await readdir(this.path)).filter((name) => name.endsWith('.json'))
    if (names.length <= maximumFiles) return
    const files = await Promise.all(
      names.map(async (name) => ({ name, at: (await timeOf(join(this.path, name))) ?? 0 })),
    )
    const oldest = files.toSorted((a, b) => a.at - b.at).slice(0, names.length - maximumFiles)
    await Promise.all(oldest.map(({ name }) => rm(join(this.path, name), { force: true })))
  }
}

// Daemon and commands share the folder: what one of them has just removed is absent for the other, and no failure.
async function timeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  )
}
