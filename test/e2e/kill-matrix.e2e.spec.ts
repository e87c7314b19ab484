/** Every role killed at every step of a run; without SLOW=1 six cells that stand for the others. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Carrier } from './carrier.js'
import { Collaboration, sealSmall } from './collaboration.js'
import { Killing, roles, steps, type Computation, type Kill } from './kills.js'

let study: Collaboration
let begun: Collaboration | null = null
let carrier: Carrier
let killing: Killing

beforeAll(async () => {
  study = begun = await Collaboration.begin({
    env: { SEALROOM_WORKER_SILENT_SECONDS: '4' },
    through: async (url) => {
      carrier = await Carrier.before(url)
      return carrier.url
    },
    edit: (yaml) => yaml.replace('limit: 5\n', 'limit: 1000\n    failures: 1000\n'),
  })
  await sealSmall(study)
  killing = await Killing.among(study, carrier)
}, 120_000)

afterAll(async () => {
  await begun?.end()
  await carrier.close()
})

const fibrosis: Computation = {
  name: 'fibrosis_by_age',
  approver: 'registry',
  parameters: ['--param', 'from_age=18'],
}
const people: Computation = { name: 'people_by_sex', approver: null, parameters: [] }

const whole: readonly Kill[] = steps.flatMap((step) => roles.map((role) => ({ role, step })))
const chosen: readonly Kill[] = [
  { role: 'coordinator', step: 'run-request' },
  { role: 'registry', step: 'nonce' },
  { role: 'worker', step: 'offer' },
  { role: 'laboratory', step: 'spend' },
  { role: 'coordinator', step: 'key-release' },
  { role: 'worker', step: 'receipt' },
]
const cells = process.env['SLOW'] === '1' ? whole : chosen

/** A worker takes its keys with it: from the Offer's evidence on owners may spend for it, and what was spent stays spent. */
function endsOf({ role, step }: Kill): readonly string[] {
  if (role !== 'worker') return ['completed']
  if (step === 'evidence' || step === 'accept') return ['completed', 'lost']
  return ['spend', 'key-release', 'start', 'receipt'].includes(step) ? ['lost'] : ['completed']
}

describe('a run whose process is killed and started again', () => {
  it.each(cells.map((kill) => [`at ${kill.step}: ${kill.role}`, kill] as const))(
    '%s',
    async (_title, kill) => {
      const { state } = await killing.run(kill, fibrosis)
      expect(endsOf(kill)).toContain(state)
      // The next cell's run is the next run, and must complete; after a loss one without a fault shows it.
      if (state !== 'completed') expect((await killing.run(null, people)).state).toBe('completed')
    },
    180_000,
  )

  it('is followed by a run without a fault', async () => {
    expect((await killing.run(null, people)).state).toBe('completed')
  })

  it('leaves receipts and chains that an auditor verifies', async () => {
    const audited = await study.stack
      .party('regulator')
      .must('audit', 'receipts', '--contract', study.contract)
    expect(audited['ok']).toBe(true)
  })
})
