export * from './errors.js'
export * from './model-runtime.node.js'
export * from './model-session.node.js'
export * from './score-columns.node.js'
