/**
 * A configfs-tsm that behaves as the kernel's does: a request is a folder, a question counts up its generation, the answer is made when it
 * is read, and a request that is gone has no files. Behind an interface and not in a folder, since no ordinary folder does that.
 */
import { concatBytes } from '#libs/canonical'

/** What answers: a report over 64 bytes, made by a fake vendor or captured. */
export interface FakeTsmMachine {
  provider: string
  report: (reportData: Uint8Array) => Uint8Array
  /** Null: the kernel offers no such file. */
  auxiliary: Uint8Array | null
  /** Runs before each answer: what others do in between. */
  meanwhile: (requests: FakeTsmRequests, name: string) => void
}

/** What others may do to a request. */
export interface FakeTsmRequests {
  ask(name: string, reportData: Uint8Array): void
  fail(code: string): never
}

interface Request {
  generation: number
  question: Uint8Array | null
}

/** The files. Requests that were not taken away remain in {@link FakeTsm.open}. */
export class FakeTsm {
  readonly #requests = new Map<string, Request>()

  constructor(readonly machine: FakeTsmMachine) {}

  get open(): readonly string[] {
    return [...this.#requests.keys()]
  }

  isHere(): boolean {
    return true
  }

  async makeRequest(name: string): Promise<void> {
    if (this.#requests.has(name)) fail('EEXIST')
    this.#requests.set(name, { generation: 0, question: null })
    await Promise.resolve()
  }

  async writeQuestion(name: string, reportData: Uint8Array): Promise<void> {
    if (reportData.length > 64) fail('EINVAL')
    const request = this.#get(name)
    request.question = reportData.slice()
    request.generation += 1
    await Promise.resolve()
  }

  async read(name: string, answer: 'outblob' | 'auxblob' | 'generation' | 'provider'): Promise<Uint8Array> {
    await Promise.resolve()
    const request = this.#get(name)
    if (answer === 'provider') return ascii(`${this.machine.provider}\n`)
    if (answer === 'generation') return ascii(`${request.generation}\n`)
    if (request.question === null) fail('EINVAL')
    if (answer === 'auxblob') return this.machine.auxiliary ?? fail('ENOENT')
    this.machine.meanwhile(
      {
        ask: (other, reportData) => {
          const asked = this.#get(other)
          asked.question = reportData.slice()
          asked.generation += 1
        },
        fail,
      },
      name,
    )
    return this.machine.report(this.#get(name).question ?? new Uint8Array(64))
  }

  async removeRequest(name: string): Promise<void> {
    if (!this.#requests.delete(name)) fail('ENOENT')
    await Promise.resolve()
  }

  #get(name: string): Request {
    return this.#requests.get(name) ?? fail('ENOENT')
  }
}

/** A table of certificates as an SNP host hands it over, each under its id of 16 bytes. */
export function fakeCertificateTable(
  entries: readonly (readonly [id: Uint8Array, bytes: Uint8Array])[],
): Uint8Array {
  let offset = 24 * (entries.length + 1)
  const heads = entries.map(([id, { length }]) => {
    const head = new Uint8Array(24)
    head.set(id)
    new DataView(head.buffer).setUint32(16, offset, true)
    new DataView(head.buffer).setUint32(20, length, true)
    offset += length
    return head
  })
  return concatBytes(...heads, new Uint8Array(24), ...entries.map(([, bytes]) => bytes))
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function fail(code: string): never {
  throw Object.assign(new Error(code), { code })
}
