export * from './errors.js'
export * from './model-runtime.node.js'
export * from './model-session.node.js'
