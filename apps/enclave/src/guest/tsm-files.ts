/**
 * The kernel's configfs-tsm (Linux ABI configfs-tsm-report): a folder made in it is a request, its files are the question and the answer.
 * An interface, since an ordinary folder does not behave so: writing a question changes the answer and counts up `generation`.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where Linux has it, from 6.7 on. */
export const tsmFolder = '/sys/kernel/config/tsm/report'

/** Files of a request that are read. */
export type TsmAnswer = 'outblob' | 'auxblob' | 'generation' | 'provider'

/** What asking for a report needs of the kernel. */
export interface TsmFiles {
  isHere(): boolean
  makeRequest(name: string): Promise<void>
  /** 64 bytes of report data. */
  writeQuestion(name: string, reportData: Uint8Array): Promise<void>
  /** Fails with `EWOULDBLOCK` or `EBUSY` where somebody else asks at the same time, with `ENOENT` for a file that is not offered. */
  read(name: string, answer: TsmAnswer): Promise<Uint8Array>
  removeRequest(name: string): Promise<void>
}

/** The kernel's own. */
export const kernelTsmFiles: TsmFiles = {
  isHere: () => existsSync(tsmFolder),
  makeRequest: async (name) => {
    await mkdir(join(tsmFolder, name))
  },
  writeQuestion: async (name, reportData) => {
    // Opened as it is: the kernel lets nobody make or cut files there.
    await writeFile(join(tsmFolder, name, 'inblob'), reportData, { flag: 'r+' })
  },
  read: async (name, answer) => new Uint8Array(await readFile(join(tsmFolder, name, answer))),
  removeRequest: async (name) => {
    await rmdir(join(tsmFolder, name))
  },
}
