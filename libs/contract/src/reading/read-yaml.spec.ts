import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CodedError } from '#libs/canonical'
import { exampleYaml } from '../example-contract.js'
import { canonicalTerms, readContract } from './read-contract.js'
import { maximumYamlBytes, readYaml } from './read-yaml.js'

// eslint-disable-next-line no-restricted-syntax -- how often a test tries is no configuration of the product
const runs = process.env['SLOW'] === undefined ? 500 : 50_000

describe('readYaml', () => {
  it.each([
    ['an anchor', 'a: &x 1\nb: 2\n', 'an anchor', 1],
    ['an alias', 'a: &x [1]\nb: *x\n', 'an alias', 2],
    ['an alias to nothing', 'a: *x\n', 'an alias', 1],
    ['a merge key', 'a: { b: 1 }\n<<: { c: 2 }\n', 'a merge key', 2],
    ['a tag', 'a: !!str 1\n', 'a tag', 1],
    ['a tag on a list', 'a: !!set { x }\n', 'a tag', 1],
    ['a tag on a name', '!!str a: 1\n', 'a field name that is not plain text', 1],
    ['a non-specific tag', 'a: ! 1\n', 'a tag', 1],
    ['a version directive', '%YAML 1.2\n---\na: 1\n', 'a YAML directive', 1],
    ['a tag directive', '%TAG ! tag:x,2000:\n---\na: 1\n', 'a YAML directive', 1],
    ['a repeated field', 'a: 1\nb: 2\na: 3\n', 'the same field twice', 1],
    ['a field named by a list', '? [a, b]\n: 1\n', 'a field name that is not plain text', 1],
    ['a field named by a number', '1: 2\n', 'a field name that is not plain text', 1],
    ['a field named like the prototype', '__proto__: { x: 1 }\n', 'the name __proto__', 1],
    ['a hexadecimal number', 'a: 0x1F\n', 'a number in another notation than plain decimal digits', 1],
    ['an octal number', 'a: 0o17\n', 'a number in another notation than plain decimal digits', 1],
    ['an exponent', 'a: 1e3\n', 'a number in another notation than plain decimal digits', 1],
    ['infinity', 'a: .inf\n', 'a number in another notation than plain decimal digits', 1],
    ['not a number', 'a: .nan\n', 'a number in another notation than plain decimal digits', 1],
    [
      'a number beyond the safe integers',
      'a: 9007199254740993\n',
      'a whole number beyond 9007199254740991',
      1,
    ],
    ['a value of a hundred levels', `a: ${'['.repeat(100)}${']'.repeat(100)}\n`, 'more than 24 levels', 1],
  ])('refuses %s', (_what, text, seen) => {
    expect(readYaml(text).mistakes.map((mistake) => mistake.seen)).toContain(seen)
  })

  it('tells only what the notation forbids where nothing else is wrong', () => {
    expect(() => canonicalTerms(exampleYaml.replace('limit: 20', 'limit: &n 20'))).toThrow(
      expect.objectContaining({ code: 'YAML_NOT_ALLOWED' }) as Error,
    )
  })

  it.each([
    ['two documents', 'a: 1\n---\nb: 2\n', 'YAML_MALFORMED'],
    ['an unclosed bracket', 'a: [1\n', 'YAML_MALFORMED'],
    ['an unknown tag', 'a: !secret 1\n', 'YAML_MALFORMED'],
    ['brackets without end', '['.repeat(5000), 'YAML_MALFORMED'],
    ['dashes without end', '- '.repeat(50_000), 'YAML_MALFORMED'],
    ['a text that is too long', `a: ${'x'.repeat(maximumYamlBytes)}`, 'YAML_TOO_LARGE'],
    ['a text whose bytes are too many', `a: ${'é'.repeat(maximumYamlBytes / 2)}`, 'YAML_TOO_LARGE'],
  ])('throws on %s', (_what, text, code) => {
    expect(() => readYaml(text)).toThrow(expect.objectContaining({ code }) as Error)
  })

  it('reads numbers as they are written, never through a double', () => {
    const { value } = readYaml('a: 0.10\nb: 12345678901234567890.123456789\nd: 7\ne: "08"\n')
    expect(value).toMatchObject({
      a: { source: '0.10' },
      b: { source: '12345678901234567890.123456789' },
      d: 7,
      e: '08',
    })
  })

  it('does not take a version number without quotes for text', () => {
    const { problems } = readContract(exampleYaml.replace('"550.90.07"', '550.90'))
    expect(problems.map((problem) => [problem.path, problem.seen])).toEqual([
      ['enclaves.0.gpu.driver.0', '550.90'],
    ])
  })

  it('reads a large text with many fields in linear time', () => {
    const text = Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n')
    const started = performance.now()
    readYaml(text)
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it('ends foreign text in a coded error or a value', () => {
    const piece = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '&x',
      '*x',
      '!!',
      '|',
      '>',
      '"',
      "'",
      '#',
      '%',
      '---',
      '\t',
      '0.1',
      'é',
      '\u0000',
      '\uFEFF',
      '\uD800',
      '? ',
      '<<',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
          fc.string(),
        ),
        (text) => {
          try {
            canonicalTerms(text)
          } catch (error) {
            expect(error).toBeInstanceOf(CodedError)
          }
        },
      ),
      { numRuns: runs },
    )
  })

  it('ends a cut or damaged contract in a coded error', () => {
    fc.assert(
      fc.property(
        fc.nat(exampleYaml.length),
        fc.nat(3),
        fc.string({ maxLength: 3 }),
        (at, removed, added) => {
          const text = exampleYaml.slice(0, at) + added + exampleYaml.slice(at + removed)
          try {
            canonicalTerms(text)
          } catch (error) {
            expect(error).toBeInstanceOf(CodedError)
          }
        },
      ),
      { numRuns: Math.ceil(runs / 5) },
    )
  })
})
