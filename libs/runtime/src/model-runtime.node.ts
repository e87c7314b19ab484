/**
 * A runtime: onnxruntime in one sandboxed child, for one use. Story: start (has seen neither model nor data), fill the files in
 * memory, load checked models, run them as often as needed, close.
 * Guards: what a model does to the runtime stays in the child; what comes out has the declared size, or is a code. A model that
 * never ends is ended with its child.
 * Does not judge what a model's outputs tell about data; controls do.
 */
import { availableParallelism } from 'node:os'
import {
  ChildLink,
  createMemoryFile,
  defaultMemoryDirectory,
  detectSandbox,
  firstDescriptor,
  spawnSandboxed,
  type MemoryFile,
  type SandboxMode,
} from '#libs/engine'
import type { CheckedModel } from '#libs/model'
import { RuntimeError } from './errors.js'
import type { Operation } from './messages.js'
import { ModelSession } from './model-session.node.js'
import { findRuntimeFiles } from './program-files.node.js'
import { runtimeLanguage } from './runtime-language.js'

/** How a runtime is started; what is left out has the value named. */
export interface ModelRuntimeOptions {
  /** The default is the strongest that this machine has. */
  readonly mode?: SandboxMode
  /** Files in memory that the child reads: rows of inputs. 0. */
  readonly inputs?: number
  /** Files in memory that the child writes: outputs of rows. 0. */
  readonly outputs?: number
  /** Where these files are made; `/dev/shm`. */
  readonly memoryDirectory?: string
  /** Memory of the child in bytes, the runtime itself not counted; 2 GB. */
  readonly memoryBytes?: number
  /** Largest output file in bytes; 1 GB. */
  readonly outputBytes?: number
  /** Processor seconds over the child's life; 3600. */
  readonly cpuSeconds?: number
  /** Threads of a run; the number of processors. */
  readonly threads?: number
  /** Time for the child to be ready, and for one model to be loaded; 20,000 ms. */
  readonly startMilliseconds?: number
}

const replyBytes = 64_000_000

/**
 * Starts a child that has seen neither model nor data.
 * @throws RuntimeError `RUNTIME_UNAVAILABLE`, `TIMED_OUT`, `CHILD_DIED`; EngineError `SANDBOX_UNAVAILABLE`, `MEMORY_FILE_FAILED`.
 */
export async function startModelRuntime(options: ModelRuntimeOptions = {}): Promise<ModelRuntime> {
  const { inputs = 0, outputs = 0, memoryBytes = 2_000_000_000, outputBytes = 1_000_000_000 } = options
  const { threads = availableParallelism(), cpuSeconds = 3600, startMilliseconds = 20_000 } = options
  const mode = options.mode ?? (await detectSandbox()).mode
  const files = findRuntimeFiles()
  const made: MemoryFile[] = []
  try {
    // The first file is for models.
    for (let i = 0; i < 1 + inputs + outputs; i++)
      made.push(createMemoryFile(options.memoryDirectory ?? defaultMemoryDirectory))
    const handed = made.map(({ fd, readFd }, index) => (index <= inputs ? readFd : fd))
    for (const file of made.slice(0, 1 + inputs)) file.seal()
    const limits = {
      ...{ dataBytes: memoryBytes + 768_000_000, cpuSeconds, fileBytes: outputs === 0 ? 0 : outputBytes },
      ...{ openFiles: 64 + 2 * handed.length, threads: 32 + 2 * threads, heapMegabytes: 512 },
    }
    const child = await spawnSandboxed(files, mode, limits, handed)
    const link = new ChildLink<Operation, RuntimeError>(child, runtimeLanguage, replyBytes)
    const runtime = new ModelRuntime(link, mode, made, inputs, startMilliseconds)
    await link.request({ op: 'open', threads }, { timeoutMilliseconds: startMilliseconds, read: () => null })
    return runtime
  } catch (cause) {
    for (const file of made) file.discard()
    throw cause
  }
}

/** Starts a runtime, uses it and closes it, whatever happens. */
export async function withModelRuntime<T>(
  options: ModelRuntimeOptions,
  use: (runtime: ModelRuntime) => Promise<T>,
): Promise<T> {
  const runtime = await startModelRuntime(options)
  try {
    return await use(runtime)
  } finally {
    await runtime.close()
  }
}

/** One runtime. Every method throws {@link RuntimeError}; after `CHILD_DIED` or `TIMED_OUT` every further call does. */
export class ModelRuntime {
  /** What confines the child. */
  readonly mode: SandboxMode
  /** Files for rows of inputs, filled by the caller before a run. */
  readonly inputs: readonly MemoryFile[]
  /** Files for rows of outputs, read by the caller after a run. */
  readonly outputs: readonly MemoryFile[]
  readonly #link: ChildLink<Operation, RuntimeError>
  readonly #files: readonly MemoryFile[]
  readonly #loadMilliseconds: number

  /** Made by {@link startModelRuntime}. */
  constructor(
    link: ChildLink<Operation, RuntimeError>,
    mode: SandboxMode,
    files: readonly MemoryFile[],
    inputs: number,
    loadMilliseconds: number,
  ) {
    this.#link = link
    this.mode = mode
    this.#files = files
    this.inputs = files.slice(1, 1 + inputs)
    this.outputs = files.slice(1 + inputs)
    this.#loadMilliseconds = loadMilliseconds
  }

  /**
   * Loads a checked model. Models are loaded one after the other.
   * @throws RuntimeError `MODEL_NOT_LOADED` where it is checked and yet not sound, `OUT_OF_MEMORY`, `TIMED_OUT`.
   */
  async load(model: CheckedModel): Promise<ModelSession> {
    await this.#modelFile().write(model.bytes, 0)
    const number = await this.#link.request(
      { op: 'load', fd: firstDescriptor, bytes: model.bytes.length },
      {
        timeoutMilliseconds: this.#loadMilliseconds,
        read: (value) => {
          if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unexpected
          return value
        },
      },
    )
    return new ModelSession(this.#link, number, model, (file) => this.#childNumber(file))
  }

  /** Ends the child and gives the memory of its files back. */
  async close(): Promise<void> {
    this.#link.end('CHILD_DIED', 'the runtime was closed')
    for (const file of this.#files) file.discard()
    await this.#link.gone
  }

  #modelFile(): MemoryFile {
    const [file] = this.#files
    if (file === undefined) throw new RuntimeError('STATE_INVALID', 'the runtime has no file for models')
    return file
  }

  #childNumber(file: MemoryFile): number {
    const index = this.#files.indexOf(file)
    if (index < 1) throw new RuntimeError('REQUEST_INVALID', 'the file is not one of this runtime')
    return firstDescriptor + index
  }
}

const unexpected = new RuntimeError('CHILD_DIED', "the runtime's child answered a load with no number")
