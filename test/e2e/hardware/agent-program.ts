/** The program of an agent that believes made-up makers. A file that a test writes for one run calls it. */
import { processWorld } from '../../../apps/agent/src/cli/process-world.js'
import { runCommandLine } from '../../../apps/agent/src/cli/program.js'
import { hardwareOf, type MadeUpRoots } from './made-up-roots.js'

/** An agent whose passphrases are cheap, since nobody guesses them here. */
export async function runMadeUpAgent(roots: MadeUpRoots): Promise<void> {
  const world = { ...processWorld(hardwareOf(roots)), scryptCost: { N: 1024, r: 8, p: 1 } } as const
  process.exitCode = await runCommandLine(process.argv.slice(2), world, '0.0.0-test')
}
