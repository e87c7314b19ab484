/** How an engine is started, and the caps on what it does. */
import { availableParallelism } from 'node:os'
import type { ProfileOptions } from './profile-report.js'
import type { SandboxMode } from './sandbox.node.js'

/** Caps on an engine; what is left out has the value named. */
export interface EngineLimits {
  /** What the database may hold, in bytes; 2 GB. The kernel's cap on the child lies a quarter and 768 MB above. */
  readonly memoryBytes: number
  /** Processor seconds over the child's life; 3600. */
  readonly cpuSeconds: number
  /** Largest file that it may write; 0, or 64 GB where a descriptor for writing is handed in. */
  readonly fileBytes: number
  /** Bytes of one answer; 256 MB. Four times as much in all. */
  readonly replyBytes: number
  /** Threads of the database; the number of processors. */
  readonly threads: number
  /** Time for the child to be ready; 20,000 ms. */
  readonly startMilliseconds: number
  /** Time for `load`, `profile`, `convert` and writing; 3,600,000 ms. */
  readonly workMilliseconds: number
}

/** A descriptor of the caller's that the child gets. */
export interface Descriptor {
  readonly fd: number
  /** The kernel enforces it only through how the descriptor was opened and the file's mode. */
  readonly access: 'read' | 'write'
}

/** How an engine is started. */
export interface EngineOptions {
  /** The default is the strongest that this machine has. */
  readonly mode?: SandboxMode
  /** Empty files in memory, handed to the child now and filled by the parent later: how a warm child gets its data. 0. */
  readonly inputs?: number
  /** Where these files are made; `/dev/shm`. */
  readonly memoryDirectory?: string
  /** Files that are open already. */
  readonly descriptors?: readonly Descriptor[]
  readonly limits?: Partial<EngineLimits>
}

/** Caps on a query. */
export interface QueryCaps {
  /** More rows are `RESULT_TOO_LARGE`. */
  readonly maxRows: number
  readonly timeoutMilliseconds: number
  /** Bytes of text and numbers in the result; 64 MB. */
  readonly maxBytes?: number
}

/** A column group to be written. */
export interface ConvertGroup {
  readonly name: string
  readonly columns: readonly string[]
  /** One of the engine's descriptors, for writing; what it held is replaced. */
  readonly outputFd: number
}

/** Limits with what was left out. */
export function withDefaults(limits: Partial<EngineLimits>, writes: boolean): EngineLimits {
  return {
    ...{
      memoryBytes: 2_000_000_000,
      cpuSeconds: 3600,
      fileBytes: writes ? 64_000_000_000 : 0,
      replyBytes: 256_000_000,
    },
    ...{ threads: availableParallelism(), startMilliseconds: 20_000, workMilliseconds: 3_600_000 },
    ...limits,
  }
}

/** What the kernel is told of them. */
export function sandboxLimits(limits: EngineLimits, descriptors: number) {
  return {
    dataBytes: Math.ceil(limits.memoryBytes * 1.25) + 768_000_000,
    ...{ cpuSeconds: limits.cpuSeconds, fileBytes: limits.fileBytes },
    openFiles: 64 + 2 * descriptors,
    threads: 32 + 2 * limits.threads,
    heapMegabytes: 512,
  }
}

/** Options of a profile with what was left out. */
export function profileDefaults(options: ProfileOptions): Required<ProfileOptions> {
  return { delimiter: ',', unit: null, maximumFindings: 5, maximumRows: 1_000_000_000, ...options }
}
