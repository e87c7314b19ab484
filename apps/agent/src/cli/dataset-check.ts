import type { ProfileReport } from '#libs/engine'
import type { Agent } from '../agent.js'
import { activeContract, contractIdFrom } from '../contracts/active-contract.js'
import { findingLines, profileLines } from '../datasets/fit-report.js'
import { profileSource, type ReadingOptions } from '../datasets/profile-file.js'
import { openSource } from '../datasets/source-file.js'
import { planDataset, type DatasetPlan, type ModelPlan, type TablePlan } from '../datasets/dataset-plan.js'
import { fitModel, type ModelFit } from '../models/fit-model.js'
import { verifyProposal } from '../trust/verify-contract.js'
import { exitCodes } from './exit-codes.js'
import { valueLine } from './model-check.js'
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
    if (plan.kind === 'model') return modelFitAnswer(path, plan, await fitModel(source, plan))
    return fitAnswer(path, plan, await profileSource(source, plan, readingOf(options)))
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

/** The same of a model. */
export function modelFitAnswer(
  path: string,
  plan: ModelPlan,
  { model, refusal, mistakes }: ModelFit,
): Answer {
  const { dataset } = plan
  const fits = model !== null
  const json = {
    ...{ file: path, dataset, fits },
    ...(model === null ? {} : { inputs: model.inputs, outputs: model.outputs, bytes: model.bytes.length }),
    ...(refusal === null ? {} : { refusal: { code: refusal.code, ...placeOf(refusal) } }),
    mistakes,
  }
  if (model !== null) {
    const takes = model.inputs.map((value) => `  takes  ${valueLine(value)}`)
    const gives = model.outputs.map((value) => `  gives  ${valueLine(value)}`)
    return { json, text: [`${path} fits ${dataset}`, '', ...takes, ...gives], exit: exitCodes.ok }
  }
  const reasons =
    refusal === null
      ? mistakes.map(({ place, expected, seen }) => `  ${place}: expected ${expected}; seen ${seen}`)
      : [
          `  an enclave would refuse it [${refusal.code}]: ${refusal.place}: ${refusal.problem}; ${refusal.mend}`,
        ]
  return { json, text: [`${path} does not fit ${dataset}`, '', ...reasons], exit: exitCodes.refused }
}

function placeOf({
  place,
  problem,
  mend,
}: {
  readonly place: string
  readonly problem: string
  readonly mend: string
}) {
  return { place, problem, mend }
}

async function planOf(agent: Agent, { contract: given, dataset }: CheckOptions): Promise<DatasetPlan> {
  const id = await contractIdFrom(agent, given)
  const view = await agent.client.contract(id)
  if (view.statements.some(({ type }) => type === 'activation')) {
    const { terms, labelOf } = await activeContract(agent, id)
    return planDataset(terms, dataset, labelOf(agent.keys.party))
  }
  const { terms } = await verifyProposal(agent, view)
  const own = Object.entries(terms.parties).find(([, { key }]) => key === agent.keys.party)?.[0]
  return planDataset(terms, dataset, own ?? '')
}
