/**
 * An exported record in one file: a line of JSON for each part, so that a log of any length is written and read piece by piece. First
 * a line that says what it is, then leaves, Identities, statements and checkpoints, last a line that counts them: what was cut off shows.
 */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { statementTypes } from '#libs/canonical'
import {
  digestSchema,
  identityChainSchema,
  publicKeySchema,
  thumbprintSchema,
  timeSchema,
} from '#libs/protocol'
import { reasonOf } from '../durable-file.js'
import { AgentError } from '../errors.js'
import type { AuditMaterial, ShownStatement } from './material.js'

const headerSchema = z.strictObject({
  sealroom: z.literal('audit-bundle/v1'),
  log: z.strictObject({
    origin: z.string().min(1).max(200),
    key: publicKeySchema,
    coordinatorKey: publicKeySchema,
  }),
  contract: digestSchema,
  /** Whose bodies these are: it is shown what it is entitled to. */
  party: thumbprintSchema,
  exportedAt: timeSchema,
})

const partSchema = z.union([
  z.strictObject({
    statement: z.strictObject({
      type: z.enum(statementTypes),
      statement: z.string().min(1).max(1_000_000),
      attachment: z.string().max(1_500_000).nullable(),
    }),
  }),
  z.strictObject({ leaves: z.array(z.string().max(1024)).min(1).max(1000) }),
  z.strictObject({ checkpoint: z.string().max(131_072) }),
  z.strictObject({ identity: identityChainSchema }),
])

const endSchema = z.strictObject({
  end: z.strictObject({
    leaves: z.int().min(0),
    identities: z.int().min(0),
    statements: z.int().min(0),
    checkpoints: z.int().min(0),
  }),
})

/** What the first line of a bundle says. */
export type BundleHeader = z.infer<typeof headerSchema>

/** A bundle as it was read: nothing in it is verified. */
export interface AuditBundle {
  readonly header: BundleHeader
  readonly material: AuditMaterial
}

/** Longer lines are refused before they are parsed, in UTF-16 code units. */
const maximumLine = 4_000_000

const leavesPerLine = 500

/** Writes a bundle; a file that is there already is refused. @throws AgentError `FILE_UNREADABLE`. */
export async function writeBundle(
  path: string,
  header: BundleHeader,
  material: AuditMaterial,
): Promise<void> {
  const { leaves, identities, statements, checkpoints } = material
  const file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    throw new AgentError('FILE_UNREADABLE', `${path} cannot be written: ${reasonOf(cause)}`, { cause })
  })
  try {
    const line = async (part: unknown) => {
      await file.appendFile(`${JSON.stringify(part)}\n`)
    }
    await line(header)
    for (let at = 0; at < leaves.length; at += leavesPerLine)
      await line({ leaves: leaves.slice(at, at + leavesPerLine) })
    for (const identity of identities) await line({ identity })
    for (const { type, statement, attachment } of statements)
      await line({ statement: { type, statement, attachment } })
    for (const checkpoint of checkpoints) await line({ checkpoint })
    const counts = { leaves: leaves.length, identities: identities.length, statements: statements.length }
    await line({ end: { ...counts, checkpoints: checkpoints.length } })
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * Reads a bundle.
 * @throws AgentError `USAGE` where the file is none of this version, or not whole; `FILE_UNREADABLE`.
 */
export async function readBundleFile(path: string): Promise<AuditBundle> {
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })
  const parser = new BundleParser(path)
  try {
    for await (const line of lines) parser.take(line)
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    throw new AgentError('FILE_UNREADABLE', `${path} cannot be read: ${reasonOf(cause)}`, { cause })
  } finally {
    lines.close()
  }
  return parser.finish()
}

/** Takes a bundle line by line. */
export class BundleParser {
  private readonly leaves: string[] = []
  private readonly identities: AuditMaterial['identities'][number][] = []
  private readonly statements: ShownStatement[] = []
  private readonly checkpoints: string[] = []
  private header: BundleHeader | null = null
  private ended = false
  private line = 0

  constructor(private readonly name: string) {}

  /** @throws AgentError `USAGE` naming the line. */
  take(text: string): void {
    this.line++
    if (text.length > maximumLine) throw this.fault(`has more than ${maximumLine} characters`)
    if (this.ended) throw this.fault('comes after the end')
    const value = this.json(text)
    if (this.header === null) this.header = this.parsed(headerSchema, value)
    else if (typeof value === 'object' && value !== null && 'end' in value)
      this.end(this.parsed(endSchema, value).end)
    else this.part(this.parsed(partSchema, value))
  }

  /** @throws AgentError `USAGE` where the end is missing. */
  finish(): AuditBundle {
    if (this.header === null || !this.ended)
      throw new AgentError(
        'USAGE',
        `${this.name} is no whole audit bundle: its last line is missing after line ${this.line}`,
      )
    const { contract, log } = this.header
    const { leaves, identities, statements, checkpoints } = this
    const { coordinatorKey } = log
    return {
      header: this.header,
      material: { contract, leaves, identities, statements, checkpoints, coordinatorKey },
    }
  }

  private part(part: z.infer<typeof partSchema>): void {
    if ('leaves' in part) this.leaves.push(...part.leaves)
    else if ('statement' in part) this.statements.push(part.statement)
    else if ('checkpoint' in part) this.checkpoints.push(part.checkpoint)
    else this.identities.push(part.identity)
  }

  private end(counts: z.infer<typeof endSchema>['end']): void {
    for (const name of ['leaves', 'identities', 'statements', 'checkpoints'] as const)
      if (this[name].length !== counts[name])
        throw this.fault(`counts ${counts[name]} ${name}; seen ${this[name].length}`)
    this.ended = true
  }

  private json(text: string): unknown {
    try {
      return JSON.parse(text) as unknown
    } catch {
      throw this.fault('is not JSON')
    }
  }

  private parsed<T>(schema: z.ZodType<T>, value: unknown): T {
    const result = schema.safeParse(value)
    if (result.success) return result.data
    const [issue] = result.error.issues
    throw this.fault(
      `is no part of an audit bundle of this version (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`,
    )
  }

  private fault(what: string): AgentError {
    return new AgentError('USAGE', `${this.name}: line ${this.line} ${what}`)
  }
}
