/** `npm run bench`: one table, each figure beside a peer or a limit of the same run. Names given as arguments choose parts. */
import { benchAttestation } from './attestation.js'
import { benchAudit } from './audit.js'
import { benchLargeRun } from './large-run.js'
import { benchLog } from './log.js'
import { benchRecovery } from './recovery.js'
import type { BenchRow } from './row.js'
import { benchRuns } from './runs.js'
import { benchScore } from './score.js'
import { benchSeal } from './seal.js'
import { benchStart } from './start.js'
import { benchTraining } from './training.js'

const print = (line: string) => process.stdout.write(`${line}\n`)

const parts: Readonly<Record<string, () => Promise<readonly BenchRow[]>>> = {
  start: benchStart,
  runs: () => benchRuns(print),
  recovery: benchRecovery,
  large: benchLargeRun,
  train: benchTraining,
  seal: benchSeal,
  score: benchScore,
  audit: benchAudit,
  attestation: benchAttestation,
  log: benchLog,
}

const chosen = process.argv.slice(2).filter((word) => !word.startsWith('-'))
const unknown = chosen.filter((name) => !Object.hasOwn(parts, name))
if (unknown.length > 0) {
  process.stderr.write(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}\n`)
  process.exit(2)
}

const rows: BenchRow[] = []
for (const [name, measure] of Object.entries(parts)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  process.stderr.write(`measuring ${name} …\n`)
  rows.push(...(await measure()))
}

const columns = ['what', 'measured', 'peer', 'ratio', 'aim', 'met'] as const
const cells = rows.map((row) => columns.map((column) => (column === 'met' ? verdictOf(row) : row[column])))
print('')
print(`| ${columns.join(' | ')} |`)
print(`| ${columns.map(() => '---').join(' | ')} |`)
for (const line of cells) print(`| ${line.join(' | ')} |`)
process.exit(0)

function verdictOf({ met }: BenchRow): string {
  if (met === null) return '-'
  return met ? 'yes' : 'NO'
}
