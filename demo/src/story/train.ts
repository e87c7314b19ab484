/** Part 3, continued: a model of death on what three owners know; nobody sees a row, and the model's file runs anywhere. */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Narrator } from '../narrator.js'
import type { Stack } from '../stack/stack.js'
import { requestAndWait, takeOutputs } from './compute.js'

export async function oneTraining(
  tell: Narrator,
  stack: Stack,
  contract: string,
  out: string,
): Promise<void> {
  const institute = stack.party('institute')
  const run = await tell.step(
    'run 3: a logistic regression of death, trained inside the enclave',
    async () => {
      const outcome = await requestAndWait(stack, contract, 'death_risk')
      if (outcome.state !== 'completed') throw new Error(`run ${outcome.run} ended ${outcome.state}`)
      return outcome.run
    },
  )
  const folder = institute.file('death-risk')
  await tell.step('the institute opens what was learned, and how well, on patients held out', async () => {
    const outputs = await takeOutputs(stack, 'institute', run, folder)
    for (const name of ['coefficients', 'metrics']) {
      const table = outputs.find(({ output }) => output === name)
      if (table === undefined) throw new Error(`no ${name} arrived`)
      tell.table(table)
    }
  })
  await tell.step('the model is an ONNX file, which holds what an enclave demands of models', async () => {
    await institute.must('model', 'check', join(folder, 'model.onnx'))
    for (const file of ['model.onnx', 'model.card.json']) await copyFile(join(folder, file), join(out, file))
  })
}
