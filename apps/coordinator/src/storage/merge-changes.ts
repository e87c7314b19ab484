/** Several changes, one after the other, as one. */
import type { Change } from './rows.js'

/** What tells the rows of a table apart; null where every row is a new one. */
const keys: { readonly [List in keyof Change]: ((row: Change[List][number]) => string) | null } = {
  statements: null,
  events: null,
  runs: ({ id }) => id,
  workers: ({ thumbprint }) => thumbprint,
  cosignatures: ({ size, witness }) => `${size} ${witness}`,
  invitations: ({ secretDigest }) => secretDigest,
  uploads: ({ digest, party }) => `${digest} ${party}`,
  tokens: ({ jti }) => jti,
}

/** Rows in their order; of a row that several changes hold the last stays, since one command may touch a row only once. */
export function mergeChanges(changes: readonly Change[]): Change {
  const lists = Object.keys(keys) as (keyof Change)[]
  return Object.fromEntries(lists.map((list) => [list, mergeList(list, changes)])) as unknown as Change
}

function mergeList<List extends keyof Change>(
  list: List,
  changes: readonly Change[],
): readonly Change[List][number][] {
  const rows = changes.flatMap((change): readonly Change[List][number][] => change[list])
  const key = keys[list]
  return key === null ? rows : [...new Map(rows.map((row) => [key(row), row])).values()]
}
