/** A whole run, and how long it took from the last key to the signed result. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unverifiedStatement } from '#libs/canonical'
import { requester, type Collaboration } from './collaboration.js'

/**
 * Milliseconds from the last KeyRelease to the Receipt, by the enclave's own clock and the owners', which are this machine's. The opened
 * results are left in `folder`.
 */
export async function releaseToReceipt(
  { sealroom }: Collaboration,
  contract: string,
  computation: string,
  folder: string,
): Promise<number> {
  const asked = ['--contract', contract, '--computation', computation, '--purpose', 'measuring', '--wait']
  const { run, state } = await sealroom(requester, 'run', 'request', ...asked)
  if (state !== 'completed') throw new Error(`run ${String(run)} ended ${String(state)}`)
  await sealroom(requester, 'run', 'result', String(run), '--out', folder)
  const bundle = JSON.parse(await readFile(join(folder, 'receipt.json'), 'utf8')) as {
    run: { statements: readonly { type: string; statement: string }[] }
  }
  const at = (type: string) =>
    bundle.run.statements
      .filter((one) => one.type === type)
      .map(({ statement }) => Date.parse(issuedAt(statement)))
  return Math.max(...at('receipt')) - Math.max(...at('key-release'))
}

function issuedAt(statement: string): string {
  const { payload } = unverifiedStatement(statement)
  return String((payload as { issuedAt?: unknown }).issuedAt)
}
