/** One call of the `sealroom` command: its global options, the agent's home, and what opens it. */
import { resolve } from 'node:path'
import type { SigningKey } from '#libs/canonical'
import type { Agent } from '../agent.js'
import { openHome, type OpenHome } from '../agent-from-home.js'
import { ControlClient } from '../control/control-client.js'
import { readBounded } from '../durable-file.js'
import { AgentError } from '../errors.js'
import { expectHome, homeAt, readConfig, type Home } from '../home.js'
import { signingKeyIn } from '../keys/key-ring.js'
import { openFile, unlockKindOf, type Unlock } from '../keys/sealed-file.js'
import { expectPassphrase, readKeyFile, readPassphrase } from '../keys/unlock.js'
import { printable } from './printable.js'
import type { World } from './world.js'

export interface GlobalOptions {
  readonly home?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly progress?: boolean
  readonly passphraseFile?: string
  readonly keyFile?: string
}

export class Session {
  readonly home: Home
  private opened: OpenHome | null = null

  constructor(
    readonly world: World,
    readonly options: GlobalOptions,
  ) {
    this.home = homeAt(resolve(options.home ?? world.defaultHome))
  }

  /** A line for the person who waits; not part of the answer. */
  note(line: string): void {
    if (this.options.quiet !== true) this.world.stderr(`${printable(line)}\n`)
  }

  /** Something that happened, as a line; with `--json` as a line of JSON. Never data. */
  event(event: Parameters<Agent['report']>[0]): void {
    const at = new Date(this.world.now()).toISOString()
    if (this.options.json === true) {
      this.world.stderr(`${JSON.stringify({ at, ...event })}\n`)
      return
    }
    const { what, ...details } = event
    const told = Object.entries(details).map(([name, value]) => `${name} ${String(value)}`)
    this.note([`${at} ${what}`, ...told].join(', '))
  }

  /** Shows how far something has come: on a terminal in one line, else only with `--progress`. */
  progress(what: string): (done: number, total: number) => void {
    if (this.options.quiet === true || (!this.world.interactive && this.options.progress !== true))
      return () => undefined
    let shown = -1
    return (done, total) => {
      const percent = total === 0 ? 100 : Math.floor((100 * done) / total)
      if (percent === shown) return
      if (!this.world.interactive && percent < 100 && percent < shown + 10) return
      shown = percent
      const line = `${printable(what)}: ${percent} %`
      this.world.stderr(this.world.interactive ? `\r${line}${percent === 100 ? '\n' : ''}` : `${line}\n`)
    }
  }

  /** The agent of this home; through its daemon where one runs. */
  async agent(): Promise<OpenHome> {
    this.opened ??= await openHome(this.home, await this.daemonUnlock(), this.world, (event) => {
      this.event(event)
    })
    return this.opened
  }

  /** What opens the daemon's keys: the key file that `init` was given, or the passphrase. */
  async daemonUnlock(): Promise<Unlock> {
    await expectHome(this.home)
    const kind = unlockKindOf(await readBounded(this.home.daemonKey, 262_144), this.home.daemonKey)
    if (kind === 'passphrase') return await this.passphrase('passphrase of this agent')
    const file = this.options.keyFile ?? (await readConfig(this.home)).keyFile
    if (file === undefined)
      throw new AgentError(
        'KEY_STORE_LOCKED',
        `${this.home.daemonKey} is under a key file: name it with --key-file`,
      )
    return await readKeyFile(file)
  }

  /** Opens the consent key for one act. */
  async consentKey(act: string): Promise<SigningKey> {
    await expectHome(this.home)
    const { secret } = await openFile(await readBounded(this.home.consentKey, 4096), {
      kind: 'consent',
      unlock: await this.passphrase(`passphrase of the consent key, to ${act}`),
      where: this.home.consentKey,
      ...this.leastCost(),
    })
    return await signingKeyIn(secret)
  }

  /** Lets the daemon of this home, where one runs, read keys and house rules anew. */
  async reloadDaemon(): Promise<void> {
    if (this.opened !== null) {
      await this.opened.daemon?.tell('reload')
      return
    }
    const daemon = await ControlClient.connect(this.home.socket)
    await daemon?.tell('reload')
    await daemon?.close()
  }

  async passphrase(prompt: string): Promise<Unlock> {
    return await readPassphrase(this.options.passphraseFile, this.world.ask, prompt)
  }

  /** A passphrase for files that are made now; typed twice. */
  async newPassphrase(prompt: string): Promise<Unlock> {
    const unlock = await this.passphrase(prompt)
    expectPassphrase(unlock)
    if (this.options.passphraseFile === undefined && unlock.kind === 'passphrase') {
      const again = await this.passphrase(`${prompt}, once more`)
      if (again.kind !== 'passphrase' || again.passphrase !== unlock.passphrase)
        throw new AgentError('USAGE', 'the two passphrases differ: nothing was made')
    }
    return unlock
  }

  leastCost(): { minimumN?: number } {
    return this.world.scryptCost === undefined ? {} : { minimumN: this.world.scryptCost.N }
  }

  async close(): Promise<void> {
    await this.opened?.close()
    this.opened = null
  }
}
