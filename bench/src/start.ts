/** How long the coordinator takes to start on an embedded database that is there. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { programs, start } from '../../demo/src/stack/processes.js'
import { median } from './collaboration.js'
import type { BenchRow } from './row.js'

const starts = 5
const aimMilliseconds = 1000

/** From starting the process to its word that it listens; the first start, which makes the database, does not count. */
export async function benchStart(): Promise<readonly BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sealroom-bench-'))
  const took: number[] = []
  try {
    for (let count = 0; count <= starts; count++) {
      const begun = performance.now()
      const words = [
        'serve',
        '--data',
        join(folder, 'data'),
        '--port',
        '0',
        '--origin',
        'log.bench.example/1',
        '--json',
      ]
      const coordinator = start('coordinator', [programs.coordinator, ...words], join(folder, 'log'))
      await coordinator.line((text) => text.includes('"url"'), 60_000)
      if (count > 0) took.push(performance.now() - begun)
      await coordinator.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  const middle = median(took)
  return [
    {
      what: 'coordinator start on an existing embedded database',
      measured: `${middle.toFixed(0)} ms`,
      peer: `limit ${aimMilliseconds} ms`,
      ratio: (middle / aimMilliseconds).toFixed(2),
      aim: '< 1',
      met: middle < aimMilliseconds,
    },
  ]
}
