import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { ReleasedOutput } from '#libs/protocol'
import { reasonOf, writeDurably } from '../durable-file.js'
import { AgentError } from '../errors.js'
import { hasEnded } from '../runs/await-run.js'
import { runIdFrom } from '../runs/find-run.js'
import { judgeReceipt, shownMaterial, type JudgedReceipt } from '../runs/judge-receipt.js'
import { openOutput, ownOutputs, type ReceivedRun } from '../runs/open-result.js'
import { makeBundle } from '../runs/receipt-bundle.js'
import { writeModel } from '../runs/write-model.js'
import { TableWriter } from '../runs/write-result.js'
import type { Frame } from './command-frame.js'
import type { Session } from './session.js'
import { table } from './table.js'
import { failedReasons } from './receipt-answer.js'
import type { Answer } from './world.js'

export function addRunResultCommand(run: Command, frame: Frame): void {
  run
    .command('result <run>')
    .description(
      'Checks the receipt of a run, every point of it, and only then fetches and opens the outputs that are for this party. Writes\n' +
        '<output>.parquet, <output>.csv and receipt.json; of a training also <output>.card.json and <output>.onnx.',
    )
    .requiredOption('--out <folder>', 'where to write; made where there is none')
    .addHelpText('after', '\nExample:\n  $ sealroom run result 9be01c --out ./readmissions\n')
    .action(frame.action<[string, { out: string }]>(takeResult))
}

export async function takeResult(session: Session, given: string, options: { out: string }): Promise<Answer> {
  const { agent } = await session.agent()
  const run = await runIdFrom(agent, given)
  const folder = await makeFolder(resolve(options.out))
  const writer = await TableWriter.begin(folder)
  try {
    const material = await shownMaterial(agent, run)
    const judged = await judgeReceipt(agent, material)
    const received = expectReceived(judged, material.run.state)
    const own = ownOutputs(agent, received.receipt)
    if (own.length === 0)
      throw new AgentError('REFUSED', `no output of run ${judged.run.id} is for this party`)
    const bundle = makeBundle(agent, material.contract, judged.run)
    bundle.catch(() => undefined)
    const files: string[] = []
    const opened: ReleasedOutput[] = []
    for (const output of own) {
      const onProgress = session.progress(`fetching ${output.name}`)
      const result = await openOutput(agent, received, output, { folder, onProgress })
      files.push(...(await writer.write(result.table, output.name)), ...(await writeModel(folder, result)))
      opened.push(result)
    }
    const receiptFile = join(folder, 'receipt.json')
    await writeDurably(receiptFile, `${JSON.stringify(await bundle)}\n`, { replace: true })
    return resultAnswer(judged, opened, [...files, receiptFile])
  } finally {
    await writer.close()
  }
}

function expectReceived({ contract, run, verdict }: JudgedReceipt, state: string): ReceivedRun {
  const { receipt, outputKeys } = run
  if (receipt === null)
    throw new AgentError(
      hasEnded(run.view) ? 'REFUSED' : 'WAITING',
      `run ${run.id} has no receipt: it is ${state}${run.view.endedBecause === null ? '' : `, ${run.view.endedBecause}`}`,
    )
  if (receipt.payload.outcome !== 'completed')
    throw new AgentError(
      'REFUSED',
      `run ${run.id} ended ${receipt.payload.outcome}: nothing of it left the enclave`,
    )
  if (outputKeys === null && !hasEnded(run.view))
    throw new AgentError('WAITING', `run ${run.id} is ${state}: its output keys are not there yet`)
  if (!verdict.ok || outputKeys === null)
    throw new AgentError(
      'RESULT_NOT_VERIFIED',
      `the receipt of run ${run.id} does not hold: the result is not opened`,
      {
        reasons: failedReasons(verdict),
      },
    )
  return { contract, run, receipt, outputKeys }
}

async function makeFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new AgentError('FILE_UNREADABLE', `${folder} cannot be made: ${reasonOf(cause)}`, { cause })
  })
  return folder
}

function resultAnswer(
  { run, verdict }: JudgedReceipt,
  outputs: readonly ReleasedOutput[],
  files: readonly string[],
): Answer {
  return {
    json: {
      run: run.id,
      verified: true,
      simulated: verdict.simulated,
      checks: verdict.checks.length,
      outputs: outputs.map(({ output, table: { columns, rows, values }, controls }) => ({
        output,
        columns,
        rows,
        values,
        controls,
      })),
      files,
    },
    text: [
      ...(verdict.simulated
        ? ['SIMULATED: the enclave was simulated; nothing protected the data of this run', '']
        : []),
      ...outputs.flatMap(outputLines),
      `the receipt holds: ${verdict.checks.length} checks`,
      ...files.map((file) => `wrote ${file}`),
    ],
  }
}

function outputLines({ output, table: { columns, rows, values }, controls }: ReleasedOutput): string[] {
  const shown = Math.min(rows, 50)
  const cells = Array.from({ length: shown }, (_, row) => values.map((column) => String(column[row] ?? '')))
  return [
    `${output}, ${rows} rows`,
    ...table(
      columns.map(({ name }) => name),
      cells,
    ),
    ...(rows > shown ? [`and ${rows - shown} more rows, in the files`] : []),
    ...controls.map(
      ({ control, says, rowsBefore, rowsAfter }) =>
        `${control}: ${says} (${rowsBefore} rows before, ${rowsAfter} after)`,
    ),
    '',
  ]
}
