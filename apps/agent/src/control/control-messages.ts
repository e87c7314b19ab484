/**
 * What a `sealroom` command may ask of the daemon that holds the agent's store, over a socket that only this user can open.
 * One JSON object per line. Values pass as they lie in the store: sealed.
 */
import { z } from 'zod'
import { spaces } from '../store/records.js'

/** A longer line ends the connection. */
export const maximumLineBytes = 16 * 1024 * 1024

/** Changes in one line; a larger write comes in parts. */
export const changesPerLine = 2000

/** Changes in one write, over all its parts. */
export const changesPerWrite = 4_000_000

/** Entries in one answer to `list`. */
export const pageEntries = 500

/** Bytes of values after which an answer to `list` ends, but for one entry. */
export const pageBytes = 2 * 1024 * 1024

const nameSchema = z
  .string()
  .max(1000)
  .refine((name) => Object.values(spaces).some((space) => name.startsWith(`${space.name}!`)), 'no such space')

const valueSchema = z.string().max(8_000_000)

/** What only the daemon writes: the counters and what it has signed with them. */
const daemonOnly = [spaces.spendHeads, spaces.spends, spaces.runs].map(({ name }) => `${name}!`)

const writableSchema = nameSchema.refine(
  (name) => !daemonOnly.some((prefix) => name.startsWith(prefix)),
  'only the daemon writes this',
)

export const requestSchema = z.discriminatedUnion('method', [
  z.strictObject({ id: z.int(), method: z.literal('hello') }),
  z.strictObject({ id: z.int(), method: z.literal('get'), name: nameSchema }),
  z.strictObject({ id: z.int(), method: z.literal('list'), from: nameSchema, to: z.string().max(1001) }),
  z.strictObject({
    id: z.int(),
    method: z.literal('write'),
    changes: z
      .array(z.strictObject({ name: writableSchema, value: valueSchema.nullable() }))
      .max(changesPerLine),
    /** the last part of one write: all parts reach the disk together, or none */
    last: z.boolean(),
  }),
  z.strictObject({ id: z.int(), method: z.literal('lock'), name: z.string().min(1).max(200) }),
  z.strictObject({ id: z.int(), method: z.literal('unlock'), name: z.string().min(1).max(200) }),
  /** look again at what waits: a person has answered */
  z.strictObject({ id: z.int(), method: z.literal('nudge') }),
  /** read keys and house rules anew */
  z.strictObject({ id: z.int(), method: z.literal('reload') }),
  z.strictObject({ id: z.int(), method: z.literal('stop') }),
])

export type ControlRequest = z.infer<typeof requestSchema>

export const answerSchema = z.strictObject({
  id: z.int(),
  result: z.unknown().optional(),
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
})

export const helloSchema = z.strictObject({ version: z.literal(1), pid: z.int(), since: z.string() })
export const getSchema = z.strictObject({ value: z.string().nullable() })
export const listSchema = z.strictObject({
  entries: z.array(z.tuple([z.string(), z.string()])),
  /** where the next page begins; null at the end */
  next: z.string().nullable(),
})
export type Hello = z.infer<typeof helloSchema>
