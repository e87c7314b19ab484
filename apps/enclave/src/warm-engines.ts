/** Engines that are started before there is a run: one that reads query texts, one that will hold data and has seen none. */
import { startEngine, type Engine } from '#libs/engine'
import { startModelRuntime, type ModelRuntime } from '#libs/runtime'
import { limits } from './limits.js'

export interface WarmEngines {
  /** The parser; the same each time. */
  readonly parser: () => Promise<Engine>
  /** An engine with so many input files: the warm one once, if it has enough, else a new one. */
  readonly dataEngine: (inputs: number) => Promise<Engine>
  /** Resolves when both are there. @throws EngineError where one cannot be started. */
  readonly ready: () => Promise<void>
  /** Ends what was started and not taken. */
  readonly kill: () => void
}

/** Starts both. They differ in what they will be trusted with, so they are two processes. */
export function warmEngines(): WarmEngines {
  const parser = startEngine({ limits: { memoryBytes: 256 * 1024 * 1024, threads: 1 } })
  let warm: Promise<Engine> | null = startDataEngine(limits.engineInputs)
  // A failure shows to whoever takes the engine; an instance that waits does not end for it.
  parser.catch(() => undefined)
  warm.catch(() => undefined)
  return {
    parser: () => parser,
    dataEngine: (inputs) => {
      const taken = warm
      if (taken === null || inputs > limits.engineInputs) return startDataEngine(inputs)
      warm = null
      return taken
    },
    ready: async () => {
      await Promise.all([parser, warm])
    },
    kill: () => {
      for (const engine of [parser, warm])
        engine?.then(
          (started) => {
            started.kill()
          },
          () => undefined,
        )
    },
  }
}

/** A child for one model, with a file for rows and one for scores. Only inferences need one, so none is kept warm. */
export function startModelChild(): Promise<ModelRuntime> {
  return startModelRuntime({
    ...{ inputs: 1, outputs: 1, memoryBytes: limits.modelMemoryBytes, cpuSeconds: limits.modelCpuSeconds },
  })
}

function startDataEngine(inputs: number): Promise<Engine> {
  return startEngine({
    inputs,
    limits: { memoryBytes: limits.engineMemoryBytes, cpuSeconds: limits.engineCpuSeconds },
  })
}
