/** Part 4: what the contract does not allow is tried, and each refusal explains itself. */
import { readFile, writeFile } from 'node:fs/promises'
import { errorOf, text } from '../answers.js'
import type { Narrator } from '../narrator.js'
import type { Stack } from '../stack/stack.js'
import { requestAndWait } from './compute.js'
import { files } from './share.js'
import { holdRun, type HeldRun } from './withhold.js'

export async function tryWhatIsNotAllowed(
  tell: Narrator,
  stack: Stack,
  contract: string,
  deathRun: string,
): Promise<HeldRun> {
  const institute = stack.party('institute')
  const laboratory = stack.party('laboratory')
  const request = (label: string, computation: string, ...more: readonly string[]) =>
    stack
      .party(label)
      .sealroom(
        'run',
        'request',
        '--contract',
        contract,
        '--computation',
        computation,
        '--purpose',
        'demo',
        ...more,
      )

  const yaml = await readFile(institute.file('study.yaml'), 'utf8')
  await writeFile(
    institute.file('altered.yaml'),
    yaml.replace(/select male,[\s\S]*?order by 1/, 'select id, died from registry'),
  )
  await tell.refused(
    'an altered query that would list persons: refused before anyone is asked to sign',
    async () => errorOf(await institute.sealroom('contract', 'check', institute.file('altered.yaml'))),
    /GROUP_KEY_NOT_ALLOWED|RAW_VALUE_OUTPUT|UNIT|COLUMN/,
  )
  await tell.refused(
    'an altered query under a contract that only the institute signed: nothing runs under it',
    async () => {
      await writeFile(
        institute.file('wider.yaml'),
        yaml.replace(
          'minimumGroupSize: 10 }, { roundTo: { mean_diagnoses',
          'minimumGroupSize: 1 }, { roundTo: { mean_diagnoses',
        ),
      )
      const wider = text(
        (await institute.must('contract', 'propose', institute.file('wider.yaml')))['contract'],
      )
      return errorOf(
        await institute.sealroom(
          'run',
          'request',
          '--contract',
          wider,
          '--computation',
          'people_by_sex',
          '--purpose',
          'demo',
        ),
      )
    },
    /SIGNATURE_MISSING|not active|Activation|CONTRACT_NOT_VERIFIED/,
  )
  await tell.refused(
    'a requester without the right',
    async () => errorOf(await request('laboratory', 'death_rate_by_weight')),
    /requester/,
  )
  await tell.refused(
    'a recipient that asks for another’s output',
    async () =>
      errorOf(await laboratory.sealroom('run', 'result', deathRun, '--out', laboratory.file('not-mine'))),
    /no output|recipient/,
  )
  await tell.step('a second run of the death rates, the last that the contract allows', async () => {
    const { state } = await requestAndWait(stack, contract, 'death_rate_by_weight')
    if (state !== 'completed') throw new Error(`ended ${state}`)
  })
  await tell.refused(
    'a run over its limit',
    async () => errorOf(await request('institute', 'death_rate_by_weight')),
    /limit\.runs/,
  )
  const { dataset, file } = files.laboratory
  const held = await holdRun(stack, contract)
  await tell.step('the laboratory withdraws what it sealed, at once and alone', () =>
    laboratory.must(
      'dataset',
      'withdraw',
      '--contract',
      contract,
      '--dataset',
      dataset,
      '--newest',
      '--reason',
      'a new consent form',
    ),
  )
  await tell.refused(
    'a run on a withdrawn dataset',
    async () => errorOf(await request('institute', 'people_by_sex')),
    /withdr|no sealed version|input/,
  )
  await tell.step('the laboratory seals a new version, and work goes on', () =>
    laboratory.must(
      'dataset',
      'seal',
      laboratory.file(file),
      '--contract',
      contract,
      '--dataset',
      dataset,
      '--replace',
    ),
  )
  return held
}
