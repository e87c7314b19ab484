export * from './child-link.node.js'
export * from './csv-text.js'
export * from './engine.node.js'
export type * from './engine-options.node.js'
export * from './errors.js'
export * from './profile-report.js'
export {
  findBuilt,
  packageFolder,
  packageManifest,
  type Binding,
  type ProgramFiles,
} from './program-files.node.js'
export { AnswerFault } from './reply-values.js'
export * from './sandbox.node.js'
export * from './synthetic.js'
export * from './tables.js'
export * from './unlinked-file.node.js'
