import { readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'

/** Gives a process, its threads and everything that it has started the ordinary priority. Linux only; elsewhere it does nothing. */
export function restorePriority(pid: number): void {
  for (const thread of listed(`/proc/${pid}/task`)) {
    try {
      // Linux keeps a priority per thread, and takes a thread's number here.
      setPriority(Number(thread), 0)
      for (const child of readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
        if (child !== '') restorePriority(Number(child))
    } catch {
      // A thread that has ended meanwhile needs no priority.
    }
  }
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
