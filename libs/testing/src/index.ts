/** Fakes that behave: importable from specs and test/ only. */
export * from './clock.js'
export * from './config.js'
export * from './log.js'
export * from './party.js'
export * from './random.js'
