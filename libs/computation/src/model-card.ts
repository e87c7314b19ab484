/** What a training says of itself to whoever opens one of its outputs. Holds terms of the contract and how it ended, no statistics. */
import type { TrainTerms } from '#libs/contract'
import type { TrainingReading } from './training-report.js'
import type { ReviewedTraining } from './training.js'
import { modelInput, modelOutput } from './model-file.js'

/** How a model was made and how it is fed. */
export interface ModelCard {
  readonly algorithm: 'linear-regression' | 'logistic-regression'
  readonly status: TrainingReading['status']
  readonly target: string
  /** Columns of the model's input, in order: a number of the query, or 1 where it holds the text `level`. */
  readonly input: {
    readonly name: string
    readonly terms: readonly { readonly name: string; readonly level: string | null }[]
  }
  readonly output: string
  readonly l2: string
  readonly heldOut: string
}

/** The card of a training. */
export function modelCardOf(
  { terms, complete }: ReviewedTraining,
  { algorithm, l2, split }: Pick<TrainTerms, 'l2' | 'split'> & Pick<ModelCard, 'algorithm'>,
  { status }: TrainingReading,
): ModelCard {
  return {
    ...{ algorithm, status, target: complete[0] ?? '', l2, heldOut: split?.test ?? '0' },
    input: { name: modelInput, terms: terms.map(({ name, level }) => ({ name, level })) },
    output: modelOutput({ algorithm }),
  }
}
