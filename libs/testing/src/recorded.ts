import { toBase64url, type StatementType, type Verified } from '#libs/canonical'
import type { RecordedStatement } from '#libs/protocol'
import type { TestLog } from './log.js'

/** A statement as a coordinator keeps it; its index is the log's, null where the log has no such leaf. */
export function recordedIn(
  log: TestLog,
  type: StatementType,
  statement: Verified<unknown>,
  attachment: Uint8Array | null = null,
): RecordedStatement {
  const { id, digest, jws } = statement
  const index = log.indexOf(digest)
  return {
    type,
    id,
    digest,
    index,
    statement: jws,
    attachment: attachment === null ? null : toBase64url(attachment),
  }
}
