import fc from 'fast-check'
import { slow } from '#libs/testing'
import { describe, expect, it } from 'vitest'
import { checkModel } from './check-model.js'
import { encodeModel } from './encode-model.js'
import { ModelError, type ModelErrorCode } from './errors.js'
import { logisticModel } from './example-model.js'
import { floatTensor } from './float-tensor.js'
import { modelLimits } from './limits.js'
import type { Attribute, Model, ModelGraph, ModelNode } from './model.js'
import { parseModel } from './parse-model.js'
import { WireWriter } from './wire-writer.js'

const base = logisticModel([0.5, -1, 2], 0.25)
const runs = slow ? 20_000 : 1_000

function failureOf(act: () => unknown): ModelError {
  try {
    act()
  } catch (cause) {
    if (cause instanceof ModelError) return cause
    throw cause
  }
  throw new TypeError('nothing was refused')
}

const withGraph = (change: Partial<ModelGraph>): Model => ({ ...base, graph: { ...base.graph, ...change } })
const withNode = (change: Partial<ModelNode>): Model =>
  withGraph({ nodes: base.graph.nodes.map((node, index) => (index === 0 ? { ...node, ...change } : node)) })
const attribute = (value: Attribute): Model => withNode({ attributes: [value] })

describe('checkModel', () => {
  it('accepts a logistic regression and says what it takes and gives', () => {
    const checked = checkModel(parseModel(encodeModel(base)))
    expect(checked.inputs).toEqual(base.graph.inputs)
    expect(checked.outputs).toEqual(base.graph.outputs)
    expect([...checked.operators]).toEqual([
      ['Gemm', 1],
      ['Sigmoid', 1],
    ])
  })

  const input = base.graph.inputs[0]!
  const mutations: [name: string, model: Model, code: ModelErrorCode][] = [
    ['an IR version of the future', { ...base, irVersion: 99 }, 'VERSION_UNSUPPORTED'],
    ['an opset of the future', { ...base, opsets: [{ domain: '', version: 99 }] }, 'VERSION_UNSUPPORTED'],
    ['the same opset twice', { ...base, opsets: [...base.opsets, ...base.opsets] }, 'VERSION_UNSUPPORTED'],
    ['a domain of its own', { ...base, opsets: [{ domain: 'com.microsoft', version: 1 }] }, 'DOMAIN_UNKNOWN'],
    [
      'a domain named like a method',
      { ...base, opsets: [{ domain: 'constructor', version: 1 }] },
      'DOMAIN_UNKNOWN',
    ],
    ['no opset for its nodes', { ...base, opsets: [] }, 'DOMAIN_UNKNOWN'],
    ['a node of an unknown domain', withNode({ domain: 'evil' }), 'DOMAIN_UNKNOWN'],
    ['a loop', withNode({ operator: 'Loop' }), 'OPERATOR_NOT_ALLOWED'],
    ['a branch', withNode({ operator: 'If' }), 'OPERATOR_NOT_ALLOWED'],
    ['randomness', withNode({ operator: 'RandomNormal' }), 'OPERATOR_NOT_ALLOWED'],
    [
      'an operator that makes tensors of any size',
      withNode({ operator: 'ConstantOfShape' }),
      'OPERATOR_NOT_ALLOWED',
    ],
    ['an operator named like a method', withNode({ operator: 'toString' }), 'OPERATOR_NOT_ALLOWED'],
    [
      'an attribute that Gemm has not',
      attribute({ name: 'body', kind: 'int', value: 1n }),
      'ATTRIBUTE_NOT_ALLOWED',
    ],
    [
      'an attribute of another kind',
      attribute({ name: 'alpha', kind: 'int', value: 1n }),
      'ATTRIBUTE_NOT_ALLOWED',
    ],
    [
      'an attribute twice',
      withNode({ attributes: [1, 2].map((value) => ({ name: 'alpha', kind: 'float', value })) }),
      'ATTRIBUTE_NOT_ALLOWED',
    ],
    ['a value made twice', withNode({ outputs: ['rows'] }), 'NAME_INVALID'],
    ['a node that makes nothing', withNode({ outputs: [] }), 'NAME_INVALID'],
    ['a cycle', withNode({ inputs: ['scores', 'weights', 'bias'] }), 'NAME_INVALID'],
    ['an unknown value', withNode({ inputs: ['rows', 'nothing'] }), 'NAME_INVALID'],
    [
      'an initializer that is an input',
      withGraph({ initializers: [floatTensor('rows', [1], [1])] }),
      'NAME_INVALID',
    ],
    ['an output that nothing makes', withGraph({ outputs: [{ ...input, name: 'x' }] }), 'NAME_INVALID'],
    [
      'an output twice',
      withGraph({ outputs: [...base.graph.outputs, ...base.graph.outputs] }),
      'NAME_INVALID',
    ],
    ['an open second dimension', withGraph({ inputs: [{ ...input, shape: ['n', 'm'] }] }), 'SHAPE_UNBOUNDED'],
    ['an empty dimension', withGraph({ inputs: [{ ...input, shape: ['n', 0] }] }), 'SHAPE_UNBOUNDED'],
    ['a huge row', withGraph({ inputs: [{ ...input, shape: ['n', 100_000, 100_000] }] }), 'SHAPE_UNBOUNDED'],
    [
      'no inputs',
      withGraph({
        inputs: [],
        initializers: [...base.graph.initializers, floatTensor('rows', [1, 3], [1, 2, 3])],
      }),
      'SHAPE_UNBOUNDED',
    ],
  ]

  it.each(mutations)('refuses a model with %s', (_name, model, code) => {
    const failure = failureOf(() => checkModel(parseModel(encodeModel(model))))
    expect(failure).toMatchObject({ code })
    expect(failure.place).not.toBe('')
    expect(failure.mend).not.toBe('')
  })
})

/** The base, written by hand so that what the types cannot say can be said. */
interface Raw {
  readonly model?: (writer: WireWriter) => void
  readonly graph?: (writer: WireWriter) => void
  readonly node?: (writer: WireWriter) => void
  readonly tensor?: (writer: WireWriter) => void
  readonly attribute?: (writer: WireWriter) => void
  readonly input?: WireWriter
}

function raw(parts: Raw): Uint8Array {
  const built = (write: ((writer: WireWriter) => void) | undefined, start = new WireWriter()): WireWriter => {
    write?.(start)
    return start
  }
  const tensor = built(parts.tensor, new WireWriter().ints(1, [1n]).int(2, 1).text(8, 'bias'))
  if (parts.tensor === undefined) tensor.bytes(9, new Uint8Array(4))
  const node = new WireWriter().text(1, 'rows').text(1, 'bias').text(2, 'scores').text(4, 'Add')
  if (parts.attribute !== undefined) node.bytes(5, built(parts.attribute, new WireWriter().text(1, 'body')))
  const value = (name: string): WireWriter => {
    const shape = new WireWriter()
      .bytes(1, new WireWriter().text(2, 'n'))
      .bytes(1, new WireWriter().int(1, 1))
    const type = new WireWriter().bytes(1, new WireWriter().int(1, 1).bytes(2, shape))
    return new WireWriter().text(1, name).bytes(2, type)
  }
  const graph = new WireWriter()
    .bytes(1, built(parts.node, node))
    .bytes(5, tensor)
    .bytes(11, parts.input ?? value('rows'))
    .bytes(12, value('scores'))
  const model = new WireWriter()
    .int(1, 8)
    .bytes(7, built(parts.graph, graph))
    .bytes(8, new WireWriter().int(2, 13))
  return built(parts.model, model).finish()
}

const external = (writer: WireWriter): void => {
  writer.bytes(13, new WireWriter().text(1, 'location').text(2, 'secret.bin')).int(14, 1)
}
const externalTensor = (): WireWriter => {
  const tensor = new WireWriter().ints(1, [1n]).int(2, 1)
  external(tensor)
  return tensor
}
const typeOnly = (type: WireWriter): WireWriter => new WireWriter().text(1, 'rows').bytes(2, type)

const corpus: [name: string, parts: Raw, code: ModelErrorCode][] = [
  ['external data of an initializer', { tensor: external }, 'EXTERNAL_DATA'],
  [
    'a location that only says external',
    { tensor: (w) => w.bytes(9, new Uint8Array(4)).int(14, 1) },
    'EXTERNAL_DATA',
  ],
  [
    'a path although it says inside',
    {
      tensor: (w) => w.bytes(9, new Uint8Array(4)).bytes(13, new WireWriter().text(1, 'location')).int(14, 0),
    },
    'EXTERNAL_DATA',
  ],
  [
    'external data in an attribute',
    { attribute: (w) => w.bytes(5, externalTensor()).int(20, 4) },
    'EXTERNAL_DATA',
  ],
  [
    'a subgraph',
    { attribute: (w) => w.bytes(6, new WireWriter().bytes(5, externalTensor())).int(20, 5) },
    'SUBGRAPH',
  ],
  [
    'a subgraph that says it is a number',
    { attribute: (w) => w.bytes(6, new WireWriter()).int(20, 2) },
    'SUBGRAPH',
  ],
  ['a list of subgraphs', { attribute: (w) => w.bytes(11, new WireWriter()).int(20, 10) }, 'SUBGRAPH'],
  ['a list of tensors', { attribute: (w) => w.bytes(10, externalTensor()).int(20, 9) }, 'TYPE_UNSUPPORTED'],
  [
    'a sparse tensor in an attribute',
    { attribute: (w) => w.bytes(22, new WireWriter()).int(20, 11) },
    'TYPE_UNSUPPORTED',
  ],
  ['a reference to an attribute', { attribute: (w) => w.text(21, 'x').int(20, 2) }, 'FUNCTION'],
  ['an attribute without a type', { attribute: (w) => w.int(3, 1) }, 'MODEL_MALFORMED'],
  ['an attribute of two kinds', { attribute: (w) => w.int(3, 1).float(2, 1).int(20, 2) }, 'MODEL_MALFORMED'],
  ['a sparse initializer', { graph: (w) => w.bytes(15, new WireWriter()) }, 'TYPE_UNSUPPORTED'],
  ['a function', { model: (w) => w.bytes(25, new WireWriter()) }, 'FUNCTION'],
  ['a graph for training', { model: (w) => w.bytes(20, new WireWriter()) }, 'SUBGRAPH'],
  ['an overloaded call', { node: (w) => w.text(8, 'x') }, 'FUNCTION'],
  ['an unknown field', { graph: (w) => w.text(99, 'x') }, 'FIELD_UNKNOWN'],
  ['configurations of devices', { node: (w) => w.bytes(10, new WireWriter()) }, 'FIELD_UNKNOWN'],
  ['two graphs', { model: (w) => w.bytes(7, new WireWriter()) }, 'MODEL_MALFORMED'],
  ['two names of a node', { node: (w) => w.text(4, 'Loop') }, 'MODEL_MALFORMED'],
  ['fewer values than its shape', { tensor: (w) => w.bytes(9, new Uint8Array(3)) }, 'TENSOR_INVALID'],
  [
    'values in two forms',
    { tensor: (w) => w.bytes(9, new Uint8Array(4)).bytes(4, new Uint8Array(4)) },
    'TENSOR_INVALID',
  ],
  ['values in the form of another type', { tensor: (w) => w.ints(7, [1n]) }, 'TENSOR_INVALID'],
  ['a negative dimension', { tensor: (w) => w.ints(1, [-1n]) }, 'TENSOR_INVALID'],
  [
    'dimensions whose product wraps around',
    { tensor: (w) => w.ints(1, [1n << 32n, 1n << 32n]) },
    'TENSOR_INVALID',
  ],
  [
    'more dimensions than any tensor has',
    { tensor: (w) => w.ints(1, Array<bigint>(20).fill(1n)) },
    'LIMIT_EXCEEDED',
  ],
  ['strings as weights', { tensor: (w) => w.text(6, 'x') }, 'TENSOR_INVALID'],
  ['a name of a megabyte', { node: (w) => w.text(3, 'x'.repeat(1_000_000)) }, 'LIMIT_EXCEEDED'],
  ['a name that is not UTF-8', { node: (w) => w.bytes(3, Uint8Array.of(0xff)) }, 'MODEL_MALFORMED'],
  ['an input without a type', { input: new WireWriter().text(1, 'rows') }, 'TYPE_UNSUPPORTED'],
  [
    'an input without a shape',
    { input: typeOnly(new WireWriter().bytes(1, new WireWriter().int(1, 1))) },
    'SHAPE_UNBOUNDED',
  ],
  [
    'a sequence as input',
    { input: typeOnly(new WireWriter().bytes(4, new WireWriter())) },
    'TYPE_UNSUPPORTED',
  ],
  [
    'strings as input',
    { input: typeOnly(new WireWriter().bytes(1, new WireWriter().int(1, 8))) },
    'TYPE_UNSUPPORTED',
  ],
]

describe('parseModel', () => {
  it('accepts the model from which the corpus is made', () => {
    expect(() => checkModel(parseModel(raw({})))).not.toThrow()
  })

  it.each(corpus)('refuses %s', (_name, parts, code) => {
    expect(failureOf(() => parseModel(raw(parts)))).toMatchObject({ code })
  })

  it('leaves out what says nothing about the computation, so that a runtime never sees it', () => {
    const marked = raw({
      model: (w) => w.text(2, 'MARKER').text(6, 'MARKER'),
      graph: (w) => w.text(10, 'MARKER').bytes(13, new WireWriter().text(1, 'MARKER')),
      node: (w) => w.text(6, 'MARKER'),
    })
    expect(Buffer.from(encodeModel(parseModel(marked))).includes('MARKER')).toBe(false)
  })

  it('reads weights alike in every form that a file may give them', () => {
    const forms: Raw[] = [
      { tensor: (w) => w.bytes(9, new Uint8Array(Float32Array.of(1.5).buffer)) },
      { tensor: (w) => w.bytes(4, new Uint8Array(Float32Array.of(1.5).buffer)) },
      { tensor: (w) => w.float(4, 1.5) },
    ]
    expect(
      new Set(forms.map((form) => Buffer.from(encodeModel(parseModel(raw(form)))).toString('hex'))).size,
    ).toBe(1)
  })

  it('gives back every model that was encoded', () => {
    const tensor = fc
      .array(fc.float({ noNaN: true }), { maxLength: 20 })
      .map((values) => floatTensor('weights', [values.length], values))
    const attributes = fc.array(
      fc.oneof<fc.Arbitrary<Attribute>[]>(
        fc.float({ noNaN: true }).map((value) => ({ name: 'a', kind: 'float', value })),
        fc
          .bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
          .map((value) => ({ name: 'b', kind: 'int', value })),
        fc
          .string({ maxLength: 40 })
          .map((value) => ({ name: 'c', kind: 'string', value: value.toWellFormed() })),
        fc
          .array(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }))
          .map((value) => ({ name: 'd', kind: 'ints', value })),
        fc.array(fc.string({ maxLength: 40 })).map((value) => ({ name: 'e', kind: 'strings', value })),
        tensor.map((value) => ({ name: 'f', kind: 'tensor', value })),
        fc
          .array(fc.float({ noNaN: true }))
          .map((value) => ({ name: 'g', kind: 'floats', value: Float32Array.from(value) })),
      ),
      { maxLength: 5 },
    )
    fc.assert(
      fc.property(tensor, attributes, (weights, list) => {
        const model: Model = {
          ...base,
          graph: {
            ...base.graph,
            initializers: [weights],
            nodes: [{ ...base.graph.nodes[0]!, attributes: list }],
          },
        }
        expect(parseModel(encodeModel(model))).toEqual(model)
      }),
      { numRuns: 200 },
    )
  })

  it.each<[string, () => Uint8Array]>([
    [
      'fields that say nothing',
      () =>
        raw({
          graph: (w) =>
            w.each(Array<null>(modelLimits.fields).fill(null), (each) => each.bytes(13, new Uint8Array(0))),
        }),
    ],
    [
      'numbers spread over lists that are each short enough',
      () => {
        const some = Array<bigint>(modelLimits.attributeValues).fill(0n)
        return encodeModel(
          withNode({
            attributes: ['a', 'b', 'c'].map((name) => ({ name, kind: 'ints' as const, value: some })),
          }),
        )
      },
    ],
  ])('refuses %s, whose bytes are few and whose memory is not', (_name, bytes) => {
    expect(failureOf(() => parseModel(bytes())).code).toBe('LIMIT_EXCEEDED')
  })

  it('answers damaged and invented bytes with a coded error, in bounded time', () => {
    const whole = encodeModel(base)
    const damaged = fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 4,
      })
      .map((changes) => {
        const bytes = whole.slice()
        for (const [at, value] of changes) bytes[at] = value
        return bytes
      })
    const cut = fc.nat(whole.length).map((length) => whole.subarray(0, length))
    fc.assert(
      fc.property(fc.oneof(damaged, cut, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        try {
          const checked = checkModel(parseModel(bytes))
          expect(encodeModel(parseModel(checked.bytes))).toEqual(checked.bytes)
        } catch (cause) {
          if (!(cause instanceof ModelError)) throw cause
        }
      }),
      { numRuns: runs },
    )
  })
})
