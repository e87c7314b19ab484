/** `npm run demo:models`: a model owner and a hospital on one machine, each role a process of its own. See README.md. */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Narrator } from './narrator.js'
import { Stack } from './stack/stack.js'
import {
  agreeOnScores,
  areaUnderCurve,
  meet,
  scorePatients,
  scoringLabels,
  sealModelAndPatients,
} from './story/score.js'

const out = resolve('out/demo-models')
const tell = new Narrator((text) => process.stdout.write(text))
tell.say(
  'Sealroom: a hospital scores its German patients with a model of Dutch patients that nobody shows it.',
)
tell.say(
  'The enclave of this demo is a SIMULATED TEE: it protects nothing, and everything that shows it says so.',
)
const folder = await mkdtemp(join(tmpdir(), 'sealroom-demo-'))
const stack = await Stack.start({ folder, labels: [...scoringLabels] })
try {
  const contract = await agreeOnScores(tell, stack, await meet(tell, stack))
  await sealModelAndPatients(tell, stack, contract)
  const { scores } = await scorePatients(tell, stack, contract)
  const area = await areaUnderCurve(scores)
  tell.say(
    `      ${scores.rows} patients; area under the curve against what happened to them: ${area.toFixed(3)}`,
  )
  tell.expect(area > 0.6, 'the model tells more than chance about patients of another country')
  await mkdir(out, { recursive: true })
  for (const file of ['scores.parquet', 'scores.csv', 'receipt.json'])
    await copyFile(join(stack.party('hospital').file('scores'), file), join(out, file))
} catch (error) {
  tell.expect(
    false,
    `the demo went on to its end (${error instanceof Error ? error.message : String(error)})`,
  )
} finally {
  await stack.stop()
}
tell.say(`${tell.elapsedSeconds.toFixed(1)} s. scores.parquet, scores.csv and receipt.json are in ${out}`)
if (tell.unexpected > 0) tell.say(`What each process said is in ${folder}`)
else await rm(folder, { recursive: true, force: true })
process.exitCode = tell.unexpected === 0 ? 0 : 1
