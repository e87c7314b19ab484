import { describe, expect, it } from 'vitest'
import { expectNothingThatOpens } from '../../scripts/bundle.mjs'

const program = 'dist/apps/coordinator/src/sealroom-coordinator.js'
const own = '/p/dist/apps/coordinator/src/main.js'

describe('the coordinator’s one file', () => {
  it('is built of what neither opens nor computes', () => {
    expect(() => {
      expectNothingThatOpens(program, [
        own,
        '/p/dist/libs/contract/src/index.js',
        '/p/node_modules/jose/x.js',
      ])
    }).not.toThrow()
  })

  it.each([
    '/p/dist/libs/envelope/src/index.js',
    '/p/dist/libs/engine/src/child-link.node.js',
    '/p/dist/libs/training/src/index.js',
    '/p/dist/libs/runtime/src/index.js',
    '/p/node_modules/hpke/index.js',
    '/p/node_modules/@panva/hpke-noble/index.js',
    '/p/node_modules/@noble/ciphers/aes.js',
    '/p/node_modules/@duckdb/node-api/lib/index.js',
    '/p/node_modules/onnxruntime-node/dist/index.js',
  ])('is not built with %s', (module) => {
    expect(() => {
      expectNothingThatOpens(program, [own, module])
    }).toThrow(module)
  })

  it('is not built where nothing was seen of it', () => {
    expect(() => {
      expectNothingThatOpens(program, [])
    }).toThrow('no modules were seen')
  })
})
