import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentError } from '../errors.js'
import { vendorHardware } from '#libs/attestation'
import { aClock } from '#libs/testing'
import { ClientError } from '#libs/client'
import { Person } from '../testing/person.js'
import { frameOf } from './command-frame.js'
import { exitCodeOf } from './exit-codes.js'
import { programOf } from './program.js'
import type { World } from './world.js'

const silent: World = {
  stdout: () => undefined,
  stderr: () => undefined,
  interactive: false,
  ask: null,
  now: () => 0,
  randomBytes: (length) => new Uint8Array(length),
  defaultHome: '/nowhere',
  signal: new AbortController().signal,
  wait: () => Promise.resolve(),
  hardware: vendorHardware,
}

function commandsOf(command: Command, path: string): { path: string; command: Command }[] {
  if (command.commands.length === 0) return [{ path, command }]
  return command.commands.flatMap((sub) => commandsOf(sub, `${path} ${sub.name()}`))
}

const all = commandsOf(programOf(frameOf(silent), '0'), 'sealroom')

let person: Person
beforeAll(async () => {
  person = await Person.make('nobody', aClock().now)
})
afterAll(async () => {
  await person.gone()
})

describe('the help', () => {
  it.each(all)('of $path says what it does and shows an example of it', async ({ path, command }) => {
    const said = await person.saysBare(...path.split(' ').slice(1), '--help')
    expect(said.exit).toBe(0)
    expect(said.out).toContain('Example')
    expect(said.out).toContain('$ sealroom')
    expect(command.description()).toMatch(/[.:]|make an agent/)
  })

  it.each(all)('of $path shows only examples that are command lines of this program', ({ path }) => {
    const help = helpOf(path)
    const examples = help.replaceAll('\\\n', ' ').match(/\$ sealroom .*/g) ?? []
    for (const example of examples) expect(wordsKnown(example.replace('$ sealroom ', ''))).toBe(true)
  })

  it('of the whole names every exit code', async () => {
    const { out, exit } = await person.saysBare('--help')
    expect(exit).toBe(0)
    for (const code of ['0', '1', '2', '3', '4', '5', '70'])
      expect(out).toMatch(new RegExp(`^ {2}${code} `, 'm'))
  })
})

function helpOf(path: string): string {
  let text = ''
  const program = programOf(frameOf({ ...silent, stdout: (part) => (text += part) }), '0')
  try {
    program.parse([...path.split(' ').slice(1), '--help'], { from: 'user' })
  } catch {
    // commander ends by throwing once help is printed.
  }
  return text
}

/** Whether the options and command words of an example exist. */
function wordsKnown(example: string): boolean {
  const program = programOf(frameOf(silent), '0')
  const words = example.match(/"[^"]*"|\S+/g) ?? []
  let command: Command = program
  for (const word of words) {
    const sub = command.commands.find((candidate) => candidate.name() === word)
    if (sub !== undefined) command = sub
  }
  const options = words.filter((word) => word.startsWith('--'))
  const known = [...program.options, ...command.options].map(({ long }) => long)
  return command !== program && options.every((option) => known.includes(option))
}

describe('a command line', () => {
  const wrong: [name: string, words: string[]][] = [
    ['an unknown command', ['contarct', 'list']],
    ['an unknown option', ['pins', '--all']],
    ['a missing argument', ['pin', 'north']],
    ['a missing option', ['run', 'request', '--contract', 'x']],
    ['one argument too many', ['pins', 'north']],
    [
      'a delimiter that there is not',
      ['dataset', 'check', 'f', '--contract', 'c', '--dataset', 'd', '--delimiter', 'dot'],
    ],
  ]
  it.each(wrong)('with %s ends with exit code 2 and one message', async (_name, words) => {
    const { exit, err, out } = await person.says(...words)
    expect(exit).toBe(2)
    expect(out).toBe('')
    expect(err).toMatch(/^sealroom: /)
    expect(err).not.toMatch(/at .*\.ts/)
  })

  it('in a folder without an agent says how to make one', async () => {
    const { exit, err } = await person.says('status')
    expect(exit).toBe(2)
    expect(err).toMatch(/holds no agent: make one with `sealroom init`/)
  })

  it('tells its version', async () => {
    expect((await person.saysBare('--version')).out).toBe('0.0.0-test\n')
  })
})

describe('an exit code', () => {
  const codes: [error: unknown, code: number][] = [
    [new AgentError('REFUSED', ''), 1],
    [new AgentError('USAGE', ''), 2],
    [new AgentError('WAITING', ''), 3],
    [new ClientError('COORDINATOR_UNREACHABLE', ''), 4],
    [new ClientError('COORDINATOR_REFUSED', ''), 1],
    [new ClientError('URL_INSECURE', ''), 2],
    [new AgentError('STORE_IN_USE', ''), 5],
    [new AgentError('KEY_STORE_LOCKED', ''), 5],
    [new TypeError(''), 70],
  ]
  it.each(codes)('of %s is %i', (error, code) => {
    expect(exitCodeOf(error)).toBe(code)
  })
})
