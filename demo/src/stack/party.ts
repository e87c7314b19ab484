/** One organization: a folder of its own, its keys in it, and the `sealroom` command that its people use. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { programs, run, start, type Running } from './processes.js'

/** What a `sealroom` command answered. */
export interface Said {
  readonly exit: number
  /** the answer with `--json`; an error has `error` */
  readonly answer: Record<string, unknown>
  readonly text: string
}

export class Party {
  private running: Running | null = null

  private constructor(
    readonly label: string,
    readonly folder: string,
    private readonly program: string,
  ) {}

  /** Makes the folder with a passphrase file; nothing of Sealroom is in it yet. `program` is what its people run. */
  static async make(label: string, folder: string, program: string = programs.sealroom): Promise<Party> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(join(folder, 'passphrase'), `the people of the ${label} know this\n`, { mode: 0o600 })
    return new Party(label, folder, program)
  }

  get home(): string {
    return join(this.folder, 'home')
  }

  file(name: string): string {
    return join(this.folder, name)
  }

  /** Runs a command as this party's people. */
  async sealroom(...words: readonly string[]): Promise<Said> {
    const { exit, stdout, stderr } = await run([this.program, ...this.access(), '--json', ...words])
    return { exit, answer: parseAnswer(stdout, stderr), text: stdout + stderr }
  }

  /** Runs a command that must succeed. */
  async must(...words: readonly string[]): Promise<Record<string, unknown>> {
    const { exit, answer, text } = await this.sealroom(...words)
    if (exit !== 0)
      throw new Error(`${this.label}: sealroom ${words.join(' ')} ended with ${exit}: ${text.slice(0, 3000)}`)
    return answer
  }

  async startDaemon(): Promise<void> {
    this.running = start(
      `agent of ${this.label}`,
      [this.program, ...this.access(), '--json', 'daemon'],
      this.file('daemon.log'),
    )
    await this.running.line((text) => text.includes('daemon started'), 15_000)
  }

  /** Begins a command as this party's people, as a process that may be killed. */
  begin(...words: readonly string[]): Running {
    return start(
      `command of ${this.label}`,
      [this.program, ...this.access(), '--json', ...words],
      this.file('commands.log'),
    )
  }

  async stopDaemon(): Promise<void> {
    await this.running?.stop()
    this.running = null
  }

  get daemon(): Running | null {
    return this.running
  }

  private access(): readonly string[] {
    return [
      '--home',
      this.home,
      '--passphrase-file',
      this.file('passphrase'),
      '--key-file',
      this.file('daemon.unlock'),
    ]
  }
}

function parseAnswer(stdout: string, stderr: string): Record<string, unknown> {
  for (const text of [stdout, stderr])
    for (const line of [text, ...text.split('\n')])
      try {
        const value = JSON.parse(line) as unknown
        if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
      } catch {
        // Notes for people stand beside the answer.
      }
  return {}
}
