/** Whether a model's file is what a dataset of a contract wants: passes every check of an enclave, and has the contract's face. */
import { faceMistakes, type FaceMistake } from '#libs/computation'
import type { CheckedModel } from '#libs/model'
import type { ModelPlan } from '../datasets/dataset-plan.js'
import type { SourceFile } from '../datasets/source-file.js'
import { readModelBytes, tryModel, type ModelRefusal } from './try-model.js'

/** What was found of a model's file. It fits where there is a model, and nothing else. */
export interface ModelFit {
  readonly model: CheckedModel | null
  readonly refusal: ModelRefusal | null
  readonly mistakes: readonly FaceMistake[]
}

/** Tries a file and holds it against its plan. */
export async function fitModel({ file }: SourceFile, { terms }: ModelPlan): Promise<ModelFit> {
  const trial = await tryModel(await readModelBytes(file))
  if (trial.model === null) return { model: null, refusal: trial.refusal, mistakes: [] }
  const mistakes = faceMistakes(trial.model, terms)
  return { model: mistakes.length === 0 ? trial.model : null, refusal: null, mistakes }
}
