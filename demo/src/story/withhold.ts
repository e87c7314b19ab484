/** A withdrawal that the coordinator keeps from the enclave: the lease ends the run all the same. */
import { text } from '../answers.js'
import type { Narrator } from '../narrator.js'
import type { Stack } from '../stack/stack.js'

/** A run that goes on as long as its leases do, since its enclave never hears that the Receipt is recorded. */
export interface HeldRun {
  readonly run: string
  /** Waits for the end that the leases make, and tells the truth again. */
  readonly end: (tell: Narrator) => Promise<void>
}

/** Requests a run and holds it back from its end, once the laboratory has released its keys. */
export async function holdRun(stack: Stack, contract: string): Promise<HeldRun> {
  const institute = stack.party('institute')
  const words = ['--contract', contract, '--computation', 'people_by_sex', '--purpose', 'held back']
  const run = text((await institute.must('run', 'request', ...words))['run'])
  const honest = stack.hostile.alsoTell(({ path }, answer) => {
    const view = answer as { state?: string }
    const toEnclave = path.startsWith(`/v1/workers/runs/${run}`)
    return toEnclave && view.state === 'awaitingOutputKeys' ? { ...view, state: 'recordingReceipt' } : answer
  })
  await stack
    .party('laboratory')
    .daemon?.line((line) => line.includes('keys released') && line.includes(run), 30_000)
  return {
    run,
    end: async (tell) => {
      await tell.refused(
        'that withdrawal was kept from an enclave that holds the keys: its lease ends the run',
        async () => {
          const { answer } = await institute.sealroom('run', 'show', run, '--wait')
          return `${String(answer['state'])}: ${String(answer['endedBecause'])}`
        },
        /leaseLost.*laboratory|leaseLost/,
      )
      honest()
    },
  }
}
