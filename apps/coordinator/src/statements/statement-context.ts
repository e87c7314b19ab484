/** What every handler of a posted statement starts from. */
import type { JsonValue, StatementType, Thumbprint } from '#libs/canonical'
import type { Caller } from '../http/caller.js'

/** A posted statement before it is verified: its type is one we know, and its `by` was read, no more. */
export interface PostedStatement {
  readonly jws: string
  readonly type: StatementType
  readonly kid: Thumbprint
  readonly by: Thumbprint
  readonly payload: JsonValue
  readonly attachment: string | null
  readonly invitation: string | undefined
  readonly caller: Caller
}
