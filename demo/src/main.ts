/** `npm run demo`: a whole collaboration on one machine, each role a process of its own. See README.md. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { detectSandbox } from '#libs/engine'
import { Narrator } from './narrator.js'
import { Stack } from './stack/stack.js'
import { makeIdentities, signContract } from './story/agree.js'
import { playHostile } from './story/attack.js'
import { audit } from './story/audit.js'
import { auditAlteredRecords, lieAboutTheRecord } from './story/deceive.js'
import { twoQueries } from './story/compute.js'
import { oneTraining } from './story/train.js'
import { tryWhatIsNotAllowed } from './story/refuse.js'
import { placeFiles, sealAll } from './story/share.js'
import { labels, parties } from './study.js'

const help = `npm run demo [-- OPTIONS]

  --fast      with every twentieth patient of the registry and the insurer
  --keep      leave the processes running at the end, and say how to use them
  --out DIR   where the results go (default: out/demo)
  --help
`

const { values } = parseArgs({
  options: {
    fast: { type: 'boolean' },
    keep: { type: 'boolean' },
    out: { type: 'string', default: 'out/demo' },
    help: { type: 'boolean' },
  },
})

if (values.help === true) process.stdout.write(help)
else process.exitCode = await main(values.fast === true, values.keep === true, resolve(values.out))

async function main(fast: boolean, keep: boolean, out: string): Promise<number> {
  const tell = new Narrator((text) => process.stdout.write(text))
  tell.say(
    'Sealroom: three owners, an institute and a regulator compute on data that none of them shows the others.',
  )
  tell.say(
    'The enclave of this demo is a SIMULATED TEE: it protects nothing, and everything that shows it says so.',
  )
  const { mode, note } = await sandbox()
  tell.say(`Engines run under: ${mode}${note}`)
  await rm(out, { recursive: true, force: true })
  await mkdir(out, { recursive: true })
  const folder = await mkdtemp(join(tmpdir(), 'sealroom-demo-'))
  let stack: Stack | null = null
  try {
    stack = await tell.step('a coordinator starts, with an embedded database', () =>
      Stack.start({ folder, labels }),
    )
    for (const [label, what] of Object.entries(parties)) tell.say(`      ${label.padEnd(12)}${what}`)
    await story(tell, stack, fast, out)
  } catch (error) {
    tell.expect(
      false,
      `the demo went on to its end (${error instanceof Error ? error.message : String(error)})`,
    )
  } finally {
    if (keep && stack !== null) sayHowToUse(tell, stack)
    else await stack?.stop()
    if (!keep && tell.unexpected === 0) await rm(folder, { recursive: true, force: true })
  }
  tell.title(
    tell.unexpected === 0 ? 'Everything was as expected' : `${tell.unexpected} THINGS WERE NOT AS EXPECTED`,
  )
  tell.say(
    `${tell.elapsedSeconds.toFixed(1)} s. result.parquet, result.csv, receipt.json, model.onnx and log.json are in ${out}`,
  )
  if (tell.unexpected > 0) tell.say(`What each process said is in ${folder}`)
  return tell.unexpected === 0 ? 0 : 1
}

async function story(tell: Narrator, stack: Stack, fast: boolean, out: string): Promise<void> {
  tell.title('1. Identities and a contract')
  const keys = await makeIdentities(tell, stack)
  const contract = await signContract(tell, stack, keys, withShortLeases)
  tell.title('2. Each owner seals its own data')
  await placeFiles(stack, fast)
  await sealAll(tell, stack, contract)
  tell.title('3. Two reviewed queries and a training over everybody’s data')
  const [deaths = '', fibrosis = ''] = await twoQueries(tell, stack, contract, out)
  await oneTraining(tell, stack, contract, out)
  tell.title('4. What is not allowed is refused, and says why')
  const held = await tryWhatIsNotAllowed(tell, stack, contract, deaths)
  tell.title('5. A hostile coordinator')
  await playHostile(tell, stack, contract, fibrosis, held)
  await lieAboutTheRecord(tell, stack, contract)
  tell.title('6. The auditor')
  await audit(tell, stack, contract, out)
  await auditAlteredRecords(tell, stack, contract, out)
}

// The end that a lease makes is shown, and nobody wants to watch half a minute for it.
function withShortLeases(contract: string): string {
  return contract.replace('leaseSeconds: 30', 'leaseSeconds: 10')
}

async function sandbox(): Promise<{ mode: string; note: string }> {
  const { mode, explanation } = await detectSandbox()
  return { mode, note: ` (${explanation})` }
}

function sayHowToUse(tell: Narrator, stack: Stack): void {
  tell.say('')
  tell.say(
    `The processes go on. The coordinator is at ${stack.hostile.url}; each party lives in ${stack.folder}/<party>/home. For instance:`,
  )
  const { folder } = stack.party('institute')
  tell.say(
    `  node dist/apps/agent/src/sealroom.js --home ${folder}/home --key-file ${folder}/daemon.unlock status`,
  )
  tell.say('End them with Ctrl-C.')
}
