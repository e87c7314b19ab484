/** A person at a terminal, for specs: runs command lines in a home of its own and keeps what was printed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vendorHardware } from '#libs/attestation'
import { seededBytes } from '#libs/testing'
import { runCommandLine } from '../cli/program.js'
import type { World } from '../cli/world.js'

/** What a command left. */
export interface Said {
  readonly exit: number
  readonly out: string
  readonly err: string
  /** standard output as JSON */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- a spec names the shape that it expects
  readonly json: <T = Record<string, unknown>>() => T
}

export class Person {
  private constructor(
    readonly name: string,
    readonly folder: string,
    private readonly now: () => number,
    private readonly random: (length: number) => Uint8Array,
  ) {}

  static async make(name: string, now: () => number): Promise<Person> {
    const folder = await mkdtemp(join(tmpdir(), `sealroom-${name}-`))
    await writeFile(join(folder, 'passphrase'), `the passphrase of ${name}\n`, { mode: 0o600 })
    return new Person(name, folder, now, seededBytes(`person/${name}`))
  }

  get home(): string {
    return join(this.folder, 'home')
  }

  file(name: string): string {
    return join(this.folder, name)
  }

  async write(name: string, text: string): Promise<string> {
    await writeFile(this.file(name), text)
    return this.file(name)
  }

  /** Runs a command line with this person's home, passphrase and key file. */
  async says(...words: readonly string[]): Promise<Said> {
    return await this.saysBare(
      '--home',
      this.home,
      '--passphrase-file',
      this.file('passphrase'),
      '--key-file',
      this.file('unlock'),
      ...words,
    )
  }

  /** Starts the daemon in this process; it is at work when this returns. */
  async startsDaemon(): Promise<{ readonly ended: Promise<Said>; stop(): Promise<Said> }> {
    const stop = new AbortController()
    const words = ['--home', this.home, '--key-file', this.file('unlock'), 'daemon']
    let started: () => void = () => undefined
    const atWork = new Promise<void>((resolve) => (started = resolve))
    const ended = this.run(words, stop.signal, (text) => {
      if (text.includes('daemon started')) started()
    })
    await Promise.race([atWork, ended])
    return {
      ended,
      stop: async () => {
        stop.abort()
        return await ended
      },
    }
  }

  /** Runs a command line as it is. */
  async saysBare(...words: readonly string[]): Promise<Said> {
    return await this.run(words, new AbortController().signal, () => undefined)
  }

  private async run(
    words: readonly string[],
    signal: AbortSignal,
    onNote: (text: string) => void,
  ): Promise<Said> {
    let out = ''
    let err = ''
    const world: World = {
      stdout: (text) => (out += text),
      stderr: (text) => {
        err += text
        onNote(text)
      },
      interactive: false,
      ask: null,
      now: this.now,
      randomBytes: this.random,
      defaultHome: this.home,
      signal,
      wait: () => Promise.resolve(),
      hardware: vendorHardware,
      scryptCost: { N: 2, r: 8, p: 1 },
    }
    const exit = await runCommandLine(words, world, '0.0.0-test')
    return { exit, out, err, json: jsonOf(out) }
  }

  async gone(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

function jsonOf(text: string): Said['json'] {
  return () => JSON.parse(text) as never
}
