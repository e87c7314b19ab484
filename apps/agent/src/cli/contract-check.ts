import { problemText, type ContractTerms } from '#libs/contract'
import { bareCheckpoint, readProposal } from '../contracts/read-proposal.js'
import { queryProblems } from '../contracts/check-queries.js'
import { giveAndGet } from '../contracts/give-and-get.js'
import { dryRun, type DryRunResult } from '../contracts/dry-run.js'
import { reviewContract } from '#libs/contract'
import { seenCheckpoint } from '../trust/log-follower.js'
import { partyLines, warningLines } from './contract-show.js'
import { exitCodes } from './exit-codes.js'
import type { Session } from './session.js'
import { counted, table } from './table.js'
import type { Answer } from './world.js'

/** Checks a contract before anyone sees it; asks nobody. */
export async function checkContract(
  session: Session,
  path: string,
  options: { dryRun?: boolean },
): Promise<Answer> {
  const { agent } = await session.agent()
  const seen = await seenCheckpoint(agent)
  const emptyTree = `${agent.config.log.origin}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n`
  const reading = await readProposal(agent, path, seen === null ? emptyTree : bareCheckpoint(seen, agent))
  if (reading.terms === null)
    return {
      json: { file: path, ok: false, problems: reading.problems },
      text: [
        `${path} has ${counted(reading.problems.length, 'mistake')}`,
        ...reading.problems.map((problem) => `  - ${problemText(problem)}`),
      ],
      exit: exitCodes.refused,
    }
  const { terms } = reading
  const queries = await queryProblems(terms)
  const runs = options.dryRun === true && queries.length === 0 ? await dryRun(terms) : []
  const ok = queries.length === 0 && runs.every((run) => run.ok !== false)
  return {
    json: {
      file: path,
      ok,
      problems: [],
      queries,
      parties: giveAndGet(terms),
      warnings: reviewContract(terms),
      dryRun: runs,
    },
    text: [
      ...(ok
        ? [`${path}: ${terms.name} can be proposed`]
        : [`${path}: ${terms.name} cannot be proposed as it is`]),
      ...queries.map(
        ({ computation, code, message }) => `  - computations.${computation}.query: ${code}: ${message}`,
      ),
      '',
      ...partyLines(terms),
      '',
      ...warningLines(terms),
      ...runs.flatMap((run) => dryRunLines(run, terms)),
    ],
    exit: ok ? exitCodes.ok : exitCodes.refused,
  }
}

function dryRunLines(run: DryRunResult, terms: ContractTerms): string[] {
  const over = terms.computations[run.computation]?.over.join(', ') ?? ''
  const head = ['', `DRY RUN of ${run.computation} over made-up rows of ${over}`]
  if (run.ok === null)
    return ['', `NO DRY RUN of ${run.computation}: computations of kind ${run.kind} have none`]
  if (terms.computations[run.computation]?.kind === 'infer')
    head.push(
      '  The model is sealed: where its scores would stand, this shows the mean of each row’s features.',
    )
  if (!run.ok) return [...head, `  it fails: ${run.code}: ${run.message}`]
  return [
    ...head,
    ...run.outputs.flatMap(({ name, columns, rows, effects }) => [
      `  ${name}: ${rows.length} rows`,
      ...table(
        columns,
        rows.slice(0, 5).map((row) => row.map((value) => (value === null ? '' : String(value)))),
      ).map((line) => `    ${line}`),
      ...effects.map((effect) => `    ${effect}`),
    ]),
  ]
}
