/** Data folder and database, opened in this order and closed in the other. Knows no framework, so it can be begun first. */
import type { Config } from '../config.js'
import { openDataFolder, type DataFolder } from './data-folder.js'
import { openDatabase, type Database } from './open-database.js'

export interface Storage {
  readonly folder: DataFolder
  readonly database: Database
  readonly close: () => Promise<void>
}

/**
 * Opens what the server keeps.
 * @param memory - keeps the embedded database in memory, for tests.
 * @throws StartError of {@link openDataFolder} and {@link openDatabase}.
 */
export async function openStorage(config: Config, memory = false): Promise<Storage> {
  const folder = await openDataFolder(config.dataFolder, config)
  try {
    const database = await openDatabase({
      url: config.databaseUrl,
      folder: memory ? null : config.dataFolder,
    })
    const close = async () => {
      await database.close()
      await folder.release()
    }
    return { folder, database, close }
  } catch (error) {
    await folder.release()
    throw error
  }
}
