import type { ProfileReport } from '#libs/engine'
import type { Agent } from '../agent.js'
import { activeContract, contractIdFrom } from '../contracts/active-contract.js'
import { findingLines, profileLines } from '../datasets/fit-report.js'
import { profileSource, type ReadingOptions } from '../datasets/profile-file.js'
import { openSource } from '../datasets/source-file.js'
import { planTable, type TablePlan } from '../datasets/table-plan.js'
import { verifyProposal } from '../trust/verify-contract.js'
import { exitCodes } from './exit-codes.js'
import type { Session } from './session.js'
import { counted } from './table.js'
import type { Answer } from './world.js'

export interface CheckOptions {
  readonly contract: string
  readonly dataset: string
  readonly delimiter: 'comma' | 'semicolon' | 'tab' | 'pipe'
}

const delimiters = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' } as const

/** How a CSV file is to be read. */
export function readingOf({ delimiter }: Pick<CheckOptions, 'delimiter'>): ReadingOptions {
  return { delimiter: delimiters[delimiter] }
}

/** Checks a file against a contract that is active or only proposed. */
export async function checkDataset(session: Session, path: string, options: CheckOptions): Promise<Answer> {
  const { agent } = await session.agent()
  const plan = await planOf(agent, options)
  const source = await openSource(path)
  try {
    const report = await profileSource(source, plan, readingOf(options))
    return fitAnswer(path, plan, report)
  } finally {
    await source.file.close()
  }
}

/** A report as an answer: exit code 1 where anything does not fit. */
export function fitAnswer(path: string, plan: TablePlan, report: ProfileReport): Answer {
  const fits = report.findingCount === 0
  return {
    json: { file: path, dataset: plan.dataset, fits, report },
    text: fits
      ? [`${path} fits ${plan.dataset}`, '', ...profileLines(report)]
      : [
          `${path} does not fit ${plan.dataset}: ${counted(report.findingCount, 'finding')}`,
          '',
          ...findingLines(report),
        ],
    exit: fits ? exitCodes.ok : exitCodes.refused,
  }
}

async function planOf(agent: Agent, { contract: given, dataset }: CheckOptions): Promise<TablePlan> {
  const id = await contractIdFrom(agent, given)
  const view = await agent.client.contract(id)
  if (view.statements.some(({ type }) => type === 'activation')) {
    const { terms, labelOf } = await activeContract(agent, id)
    return planTable(terms, dataset, labelOf(agent.keys.party))
  }
  const { terms } = await verifyProposal(agent, view)
  const own = Object.entries(terms.parties).find(([, { key }]) => key === agent.keys.party)?.[0]
  return planTable(terms, dataset, own ?? '')
}
