/**
 * The coordinator's folder: its two signing keys, its secrets, blobs and the embedded database. Holds no key that opens
 * anything of a party's.
 */
import { chmod, mkdir, open, readFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { fromBase64url, signingKeyFromSeed, toBase64url, type SigningKey } from '#libs/canonical'
import { StartError } from '../errors.js'

export interface DataFolder {
  readonly path: string
  readonly logKey: SigningKey
  readonly coordinatorKey: SigningKey
  readonly operatorToken: string
  readonly enrolmentSecret: string
  readonly release: () => Promise<void>
}

/**
 * Opens the folder, alone: makes what a first start needs.
 * @throws StartError `DATA_FOLDER_IN_USE`, `DATA_FOLDER_INVALID`.
 */
export async function openDataFolder(
  path: string,
  files: { readonly operatorTokenFile?: string | undefined; readonly enrolmentFile?: string | undefined },
): Promise<DataFolder> {
  await mkdirPrivate(path)
  const release = await holdAlone(path)
  try {
    await mkdirPrivate(join(path, 'keys'))
    await mkdirPrivate(join(path, 'blobs'))
    return {
      path,
      logKey: await signingKey(join(path, 'keys', 'log.seed')),
      coordinatorKey: await signingKey(join(path, 'keys', 'coordinator.seed')),
      operatorToken: await secret(files.operatorTokenFile, join(path, 'operator-token')),
      enrolmentSecret: await secret(files.enrolmentFile, join(path, 'enrolment')),
      release,
    }
  } catch (error) {
    await release()
    throw error
  }
}

// PGlite does not notice a second process in its folder. LevelDB holds a lock of the kernel's, which is gone when the
// process is, however it ended: a file with a process id in it would outlive a kill.
async function holdAlone(path: string): Promise<() => Promise<void>> {
  const lock = new ClassicLevel(join(path, 'lock'))
  try {
    await lock.open()
  } catch (cause) {
    throw new StartError(
      'DATA_FOLDER_IN_USE',
      `another coordinator is running on ${path}; stop it, or give this one its own --data`,
      { cause },
    )
  }
  return async () => {
    await lock.close()
  }
}

async function mkdirPrivate(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new StartError('DATA_FOLDER_INVALID', `${path} cannot be made; give a folder that may be written`, {
      cause,
    })
  }
}

async function signingKey(file: string): Promise<SigningKey> {
  const text = await readOrMake(file, () => toBase64url(randomBytes(32)))
  try {
    return await signingKeyFromSeed(fromBase64url(text))
  } catch (cause) {
    throw new StartError(
      'DATA_FOLDER_INVALID',
      `${file} holds no 32-byte seed; restore it from a backup: another key would be another log`,
      { cause },
    )
  }
}

async function secret(given: string | undefined, own: string): Promise<string> {
  const text =
    given === undefined ? await readOrMake(own, () => toBase64url(randomBytes(32))) : await readSecret(given)
  if (text.length < 16)
    throw new StartError(
      'CONFIG_INVALID',
      `${given ?? own} holds ${text.length} characters; a secret has at least 16`,
    )
  return text
}

async function readSecret(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    throw new StartError('CONFIG_INVALID', `${file} cannot be read`, { cause })
  }
}

/** Reads a secret file, or makes it so that nobody else can read it and a crash leaves no half of it. */
async function readOrMake(file: string, make: () => string): Promise<string> {
  try {
    const text = (await readFile(file, 'utf8')).trim()
    await chmod(file, 0o600)
    if (text !== '') return text
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new StartError('DATA_FOLDER_INVALID', `${file} cannot be read`, { cause: error })
  }
  const text = make()
  const handle = await open(file, 'w', 0o600)
  try {
    await handle.writeFile(`${text}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return text
}
