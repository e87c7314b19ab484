/** Where passphrases and key files come from. A secret that others on this machine can read is refused. */
import { open, readFile, stat } from 'node:fs/promises'
import { AgentError } from '../errors.js'
import type { Unlock } from './sealed-file.js'

export const keyFileLength = 32
const shortestPassphrase = 8
const longestPassphrase = 1024

/** Asks a person at a terminal, without showing what is typed; null where there is no terminal. */
export type AskSecret = ((prompt: string) => Promise<string>) | null

/**
 * Reads a passphrase from a file, or asks for it.
 * @throws AgentError `KEY_STORE_LOCKED` where there is neither, `HOME_INVALID` where others can read the file.
 */
export async function readPassphrase(
  file: string | undefined,
  ask: AskSecret,
  prompt: string,
): Promise<Unlock> {
  if (file !== undefined) return { kind: 'passphrase', passphrase: await passphraseIn(file) }
  if (ask === null)
    throw new AgentError(
      'KEY_STORE_LOCKED',
      `${prompt}: a passphrase is needed, and there is no terminal to ask at; give --passphrase-file FILE`,
    )
  return { kind: 'passphrase', passphrase: await ask(prompt) }
}

/**
 * Refuses a passphrase that is too short to be of use when a file is made (NIST SP 800-63B §5.1.1.1).
 * @throws AgentError `USAGE`.
 */
export function expectPassphrase(unlock: Unlock): void {
  if (unlock.kind !== 'passphrase') return
  const { length } = Array.from(unlock.passphrase)
  if (length < shortestPassphrase)
    throw new AgentError(
      'USAGE',
      `a passphrase has at least ${shortestPassphrase} characters; seen ${length}`,
    )
}

async function passphraseIn(file: string): Promise<string> {
  await expectPrivate(file, 'a passphrase file')
  const text = (await readWhole(file)).toString('utf8').replace(/\r?\n$/, '')
  if (text === '' || text.length > longestPassphrase || /[\r\n]/.test(text))
    throw new AgentError(
      'KEY_STORE_LOCKED',
      `${file}: expected one line of 1 to ${longestPassphrase} characters`,
    )
  return text
}

/**
 * Reads a key file: 32 bytes that only this user can read.
 * @throws AgentError `HOME_INVALID` where its mode is wider than 0600, `KEY_STORE_LOCKED` where it is no key file.
 */
export async function readKeyFile(file: string): Promise<Unlock> {
  await expectPrivate(file, 'a key file')
  const key = await readWhole(file)
  if (key.length !== keyFileLength)
    throw new AgentError(
      'KEY_STORE_LOCKED',
      `${file}: a key file has ${keyFileLength} bytes; seen ${key.length}`,
    )
  return { kind: 'key-file', key: new Uint8Array(key) }
}

/** Makes a key file with mode 0600 where there is none; an existing one is read. */
export async function makeKeyFile(
  file: string,
  randomBytes: (length: number) => Uint8Array,
): Promise<Unlock> {
  try {
    const handle = await open(file, 'wx', 0o600)
    try {
      await handle.writeFile(randomBytes(keyFileLength))
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (codeOf(error) !== 'EEXIST')
      throw new AgentError('FILE_UNREADABLE', `${file} cannot be written: ${codeOf(error)}`, { cause: error })
  }
  return await readKeyFile(file)
}

/** @throws AgentError `HOME_INVALID` where a file is not a regular file that its owner alone can read. */
async function expectPrivate(file: string, what: string): Promise<void> {
  const found = await stat(file).catch((cause: unknown) => {
    throw new AgentError('FILE_UNREADABLE', `${file} (${what}) cannot be read: ${codeOf(cause)}`, { cause })
  })
  if (!found.isFile()) throw new AgentError('HOME_INVALID', `${file}: expected ${what}, seen no regular file`)
  const mode = found.mode & 0o777
  if ((mode & 0o077) !== 0)
    throw new AgentError(
      'HOME_INVALID',
      `${file}: ${what} must be readable by its owner alone (mode 0600); seen 0${mode.toString(8)}. Mend: chmod 600 ${file}`,
    )
}

async function readWhole(file: string): Promise<Buffer> {
  const found = await stat(file)
  if (found.size > 4096) throw new AgentError('KEY_STORE_LOCKED', `${file} has ${found.size} bytes: too many`)
  return await readFile(file)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
