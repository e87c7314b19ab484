/** What every command shares: global options, one answer as text or JSON, one way for errors to end. */
import type { Command } from 'commander'
import { exitCodeOf, exitCodes } from './exit-codes.js'
import { printable, printableJson } from './printable.js'
import { Session, type GlobalOptions } from './session.js'
import { errorLines, shownError } from './show-error.js'
import type { Answer, World } from './world.js'

/** Where commands are added, and how their actions run. */
export interface Frame {
  readonly world: World
  /** Wraps what a command does, for commander's `action`. */
  readonly action: <Arguments extends readonly unknown[]>(
    run: (session: Session, ...given: Arguments) => Promise<Answer>,
  ) => (...given: [...Arguments, Command]) => Promise<void>
  /** The exit code of the command that ran. */
  exit: number
}

export function frameOf(world: World): Frame {
  const frame: Frame = {
    world,
    exit: 0,
    action:
      <Arguments extends readonly unknown[]>(
        run: (session: Session, ...given: Arguments) => Promise<Answer>,
      ) =>
      async (...given: [...Arguments, Command]) => {
        const command = given.at(-1) as Command
        // commander appends the command itself to what the action takes.
        const taken = given.slice(0, -1) as unknown as Arguments
        frame.exit = await runInSession(world, command.optsWithGlobals(), (session) => run(session, ...taken))
      },
  }
  return frame
}

/** Runs a command with a session of its own and shows how it ended. */
export async function runInSession(
  world: World,
  options: GlobalOptions,
  run: (session: Session) => Promise<Answer>,
): Promise<number> {
  const session = new Session(world, options)
  try {
    return show(world, options, await run(session))
  } catch (error) {
    if (world.signal.aborted && exitCodeOf(error) !== exitCodes.waiting) {
      world.stderr('sealroom: stopped\n')
      return exitCodes.stopped
    }
    return showFailure(world, options, error)
  } finally {
    await session.close()
  }
}

function show(world: World, options: GlobalOptions, answer: Answer): number {
  if (options.json === true) world.stdout(`${printableJson(answer.json)}\n`)
  else if (answer.text.length > 0)
    world.stdout(
      `${answer.text
        .flatMap((line) => line.split('\n'))
        .map(printable)
        .join('\n')}\n`,
    )
  return answer.exit ?? 0
}

function showFailure(world: World, options: GlobalOptions, error: unknown): number {
  const shown = shownError(error)
  if (options.json === true) world.stdout(`${printableJson({ error: shown })}\n`)
  const lines = options.json === true ? errorLines(shown).slice(0, 1) : errorLines(shown)
  for (const line of lines.flatMap((text) => text.split('\n'))) world.stderr(`${printable(line)}\n`)
  return exitCodeOf(error)
}
