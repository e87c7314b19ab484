/** The Approvals of a run, each verified by its approver's consent key. Whether they are enough is `decide`'s to say. */
import type { Verified } from '#libs/canonical'
import { approvalKind, type Approval, type RunView } from '#libs/protocol'
import { EnclaveError } from './errors.js'
import { ofType, verifyByParty, type Job } from './verify-job.js'

/**
 * The Approvals of the run itself; those of a release of an output are of no concern here.
 * @throws EnclaveError `STATEMENT_FOREIGN` for an Approval of another run or contract; ProtocolError, CanonicalError.
 */
export async function verifyApprovals(job: Job, view: RunView): Promise<readonly Verified<Approval>[]> {
  const approvals = await Promise.all(
    ofType(view.statements, 'approval').map(({ statement }) =>
      verifyByParty(approvalKind, statement, job.identities),
    ),
  )
  for (const { id, payload } of approvals)
    if (payload.run !== job.run || payload.contract !== job.contract.id)
      throw new EnclaveError(
        'STATEMENT_FOREIGN',
        `approval ${id} is for run ${payload.run}; expected ${job.run}`,
      )
  return approvals.filter(({ payload }) => payload.release === null)
}
