export { applyControls, describeControls, parseControls, unsupportedControls } from './apply-controls.js'
export type { ParsedControl, Released } from './apply-controls.js'
export { computationKinds, controlCatalog, controlSchemas } from './catalog.metadata.js'
export type { ComputationKind, ControlName, ControlParameters } from './catalog.metadata.js'
export { groupSizeFor, prepareOutput, queryTables, releaseOutput, reviewComputation } from './computation.js'
export type { DatasetsView, PreparedOutput, ReviewedComputation } from './computation.js'
export { ComputationError } from './errors.js'
export type { ComputationErrorCode } from './errors.js'
export { defineOutputControl } from './output-control.js'
export type { Controlled, ControlEffect, OutputControl, UnitEvidence } from './output-control.js'
export { outputControls } from './output-controls/index.js'
export { declaredForQuery, parseParameters } from './parameters.js'
export type { ParameterDeclarations, ParameterSet } from './parameters.js'
export { prepareTraining, releaseTraining, reviewTraining } from './training.js'
export type { PreparedTraining, PreparedTrainingOutput, ReviewedTraining } from './training.js'
export { modelCardOf } from './model-card.js'
export type { ModelCard } from './model-card.js'
export { modelFileOf } from './model-file.js'
export { parseTrainingReport } from './training-report.js'
export type { TrainingReading } from './training-report.js'
export { faceMistakes } from './model-face.js'
export type { FaceMistake } from './model-face.js'
export { modelFaceOf, prepareScoring, reviewScoring } from './scoring.js'
export type { ModelFace, PreparedScores, ReviewedScoring } from './scoring.js'
export { readRowsToScore, releaseScores } from './scored-rows.js'
export type { RowScores, RowsToScore } from './scored-rows.js'
export {
  decodeResultTable,
  defaultCaps,
  encodeResultTable,
  parseResultTable,
  selectRows,
} from './result-table.js'
export type { Cell, ResultColumn, ResultTable, TableCaps } from './result-table.js'
