/** What a reviewed text of a contract reads, by this agent's own parse of it in a sandboxed child. */
import { modelFaceOf, reviewComputation, reviewScoring, reviewTraining } from '#libs/computation'
import type { ContractTerms, InferTerms, SqlTerms, TrainTerms } from '#libs/contract'
import type { Engine } from '#libs/engine'

/** A computation whose text all signatories reviewed. */
export type TextTerms = SqlTerms | TrainTerms | InferTerms

/** What is read: datasets, and the columns of each, the unit among them. */
export interface TextReads {
  readonly reads: readonly string[]
  readonly columns: Readonly<Record<string, readonly string[]>>
}

/** @throws QueryError, EngineError, ComputationError, where the text or what goes with it is not understood. */
export async function reviewText(
  engine: Pick<Engine, 'parse'>,
  { datasets }: Pick<ContractTerms, 'datasets'>,
  computation: TextTerms,
): Promise<TextReads> {
  const tree = await engine.parse(computation.query)
  switch (computation.kind) {
    case 'sql':
      return reviewComputation(datasets, computation, tree)
    case 'train':
      return reviewTraining(datasets, computation, tree)
    case 'infer':
      return reviewScoring(datasets, computation, modelFaceOf(datasets, computation), tree)
  }
}
