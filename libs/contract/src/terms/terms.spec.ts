import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exampleKeys, exampleYaml } from '../example-contract.js'
import { datasetsNamedIn } from '../reading/fill-defaults.js'
import { nearest } from '../reading/explain-issues.js'
import { canonicalTerms, readContract } from '../reading/read-contract.js'
import { parameterFaults } from '../decide/parameters.js'
import { isName, nameSkeleton } from './names.js'
import {
  canonicalDecimalOf,
  compareDecimals,
  dateSchema,
  thumbprintSchema,
  timestampSchema,
} from './quantities.js'
import {
  dataOwners,
  effectiveControls,
  meetsQuorum,
  offerIdentities,
  requestReaders,
  requiredGroupSize,
  witnessQuorum,
} from './questions.js'
import type { ContractTerms, ParameterTerms } from './terms.js'

const terms = canonicalTerms(exampleYaml)

describe('isName', () => {
  it.each([
    'a',
    'north',
    'north_2',
    'north-east',
    '_x',
    'Süd',
    'Größe',
    'данные',
    '東京',
    'ひらがなカナ漢字',
    '서울',
    'x'.repeat(64),
  ])('takes %s', (name) => {
    expect(isName(name)).toBe(true)
  })

  it.each([
    ['an empty text', ''],
    ['65 characters', 'x'.repeat(65)],
    ['a space', 'a b'],
    ['a leading digit', '1a'],
    ['a dot', 'a.b'],
    ['two scripts', 'pаypal'],
    ['Greek and Latin', 'αlpha'],
    ['a decomposed letter', 'Su\u0308d'],
    ['a zero-width joiner', 'a\u200Db'],
    ['a right-to-left override', '\u202Ea'],
    ['a byte order mark', '\uFEFFa'],
    ['a control character', 'a\u0000'],
    ['a line feed', 'a\nb'],
    ['a lone surrogate', '\uD800'],
    ['an emoji', '🙂'],
    ['a member of every object', 'constructor'],
    ['another', 'hasOwnProperty'],
    ['the prototype', '__proto__'],
    ['a compatibility letter', 'ﬁn\u0301'],
  ])('refuses %s', (_what, name) => {
    expect(isName(name)).toBe(false)
  })

  it('never takes a character that is not a letter, mark, digit, _ or -', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        if (isName(text)) expect(text).toMatch(/^[\p{L}_][\p{L}\p{M}\p{Nd}_-]*$/u)
      }),
    )
  })
})

describe('nameSkeleton', () => {
  it('is the same for names that look alike', () => {
    expect(nameSkeleton('сору')).toBe(nameSkeleton('copy'))
    expect(nameSkeleton('North')).toBe(nameSkeleton('north'))
    expect(nameSkeleton('north')).not.toBe(nameSkeleton('south'))
  })
})

describe('canonicalDecimalOf', () => {
  it.each([
    ['4.0', '4'],
    ['0.50', '0.5'],
    ['-0', '0'],
    ['-0.0', '0'],
    ['007', '7'],
    ['+1.10', '1.1'],
    ['-12.340', '-12.34'],
  ])('writes %s as %s', (text, decimal) => {
    expect(canonicalDecimalOf(text)).toBe(decimal)
  })

  it.each([
    '',
    '.',
    '1.',
    '.5',
    '1e3',
    '0x1',
    '1_000',
    'NaN',
    'Infinity',
    '1.2.3',
    ' 1',
    '1'.repeat(31),
    '--1',
    '１',
  ])('refuses %j', (text) => {
    expect(canonicalDecimalOf(text)).toBeNull()
  })

  const decimal = fc
    .tuple(fc.boolean(), fc.nat(), fc.nat(999_999))
    .map(([minus, whole, part]) => `${minus ? '-' : ''}${whole}.${String(part).padStart(6, '0')}`)

  it('is a fixed point and keeps the value', () => {
    fc.assert(
      fc.property(decimal, (text) => {
        const canonical = canonicalDecimalOf(text)!
        expect(canonicalDecimalOf(canonical)).toBe(canonical)
        expect(Number(canonical)).toBe(Number(text) + 0)
      }),
    )
  })

  it('is compared as numbers are', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        expect(compareDecimals(canonicalDecimalOf(a)!, canonicalDecimalOf(b)!)).toBe(
          Math.sign(Number(a) - Number(b)),
        )
      }),
    )
    expect(compareDecimals('0.100000000000000000000000000001', '0.1')).toBe(1)
  })
})

describe('dates, instants and thumbprints', () => {
  it.each(['2026-02-30', '2026-13-01', '26-01-01', '2026-1-1', '2026-01-01T00:00:00.000Z', '2026-01-01 '])(
    'refuses the day %j',
    (text) => {
      expect(dateSchema.safeParse(text).success).toBe(false)
    },
  )

  it.each([
    '2026-01-01T24:00:00.000Z',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.000+00:00',
    '2026-02-30T00:00:00.000Z',
  ])('refuses the instant %j', (text) => {
    expect(timestampSchema.safeParse(text).success).toBe(false)
  })

  it('refuses a second spelling of a thumbprint', () => {
    expect(thumbprintSchema.safeParse('A'.repeat(43)).success).toBe(true)
    expect(thumbprintSchema.safeParse(`${'A'.repeat(42)}B`).success).toBe(false)
  })
})

describe('requiredGroupSize', () => {
  const output = terms.computations['readmissions_by_ward']!.outputs['result']!
  const demand = (north: number, own: number): ContractTerms =>
    canonicalTerms(
      exampleYaml
        .replace('north: { minimumGroupSize: 10 }', `north: { minimumGroupSize: ${north} }`)
        .replace('[ { minimumGroupSize: 10 }, { roundTo', `[ { minimumGroupSize: ${own} }, { roundTo`),
    )

  it('is the largest of the output’s own and all owners’ minimums', () => {
    for (const [north, own, k] of [
      [10, 10, 10],
      [12, 10, 12],
      [2, 3, 5],
      [1, 40, 40],
    ] as const) {
      const changed = demand(north, own)
      expect(
        requiredGroupSize(changed, changed.computations['readmissions_by_ward']!.outputs['result']!, [
          'stays',
        ]),
      ).toBe(k)
    }
  })

  it('counts the owners of every dataset that is read', () => {
    expect(requiredGroupSize(terms, { ...output, controls: [{ minimumGroupSize: 2 }] }, ['claims'])).toBe(2)
    expect(
      requiredGroupSize(terms, { ...output, controls: [{ minimumGroupSize: 2 }] }, ['claims', 'stays']),
    ).toBe(10)
  })

  it('raises the control that is applied, or adds one where the output names none', () => {
    expect(
      effectiveControls(terms, { ...output, controls: [{ maxRows: 5 }, { minimumGroupSize: 2 }] }, ['stays']),
    ).toEqual([{ maxRows: 5 }, { minimumGroupSize: 10 }])
    expect(effectiveControls(terms, { ...output, controls: [{ maxRows: 5 }] }, ['stays'])).toEqual([
      { minimumGroupSize: 10 },
      { maxRows: 5 },
    ])
    expect(effectiveControls(terms, { ...output, controls: [{ maxRows: 5 }] }, ['claims'])).toEqual([
      { maxRows: 5 },
    ])
    expect(effectiveControls(terms, { ...output, controls: [{ keep: 'sealed' }] }, ['stays'])).toEqual([
      { keep: 'sealed' },
    ])
  })
})

describe('witnessQuorum', () => {
  const { north, south, insurer, lab } = exampleKeys

  it('is met by as many named witnesses as the contract says, every owner of the run among them', () => {
    const two = canonicalTerms(exampleYaml.replace('quorum: 3', 'quorum: 2'))
    const quorum = witnessQuorum(two, dataOwners(two, ['stays']))
    expect(meetsQuorum(quorum, [north, south])).toBe(true)
    expect(meetsQuorum(quorum, [north, insurer])).toBe(false)
    expect(meetsQuorum(quorum, [north, north])).toBe(false)
    expect(meetsQuorum(witnessQuorum(terms, ['north']), [north, south, lab])).toBe(false)
    expect(meetsQuorum(witnessQuorum(terms, ['north']), [north, south, insurer])).toBe(true)
  })

  it('is never met for a run on nobody’s data', () => {
    expect(meetsQuorum(witnessQuorum(terms, dataOwners(terms, ['unknown'])), [north, south, insurer])).toBe(
      false,
    )
  })
})

describe('who a run concerns', () => {
  it('names owners of all datasets, each once', () => {
    expect(dataOwners(terms, ['claims', 'stays', 'stays', 'toString'])).toEqual(['insurer', 'north', 'south'])
  })

  it('names readers of a request and Identities of an Offer', () => {
    expect(requestReaders(terms, terms.computations['readmissions_by_ward']!)).toEqual([
      'north',
      'south',
      'regulator',
    ])
    expect(offerIdentities(terms)).toHaveLength(5)
  })
})

describe('datasetsNamedIn', () => {
  it('finds a name in any case and never misses one that stands as a word', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(' ', '"', '.', '(', ',', '\n', ';', '-', '/*'),
        fc.constantFrom(' ', '"', ')', ',', '\n', '', '-'),
        (before, after) => {
          expect(datasetsNamedIn(`select 1 from${before}sTAYS${after}`, ['stays', 'claims'])).toEqual([
            'stays',
          ])
        },
      ),
    )
    expect(datasetsNamedIn('from "lab-values"', ['lab-values'])).toEqual(['lab-values'])
  })
})

describe('parameterFaults', () => {
  const cases: readonly [ParameterTerms, good: readonly unknown[], bad: readonly unknown[]][] = [
    [{ type: 'int', min: -1, max: 5 }, [-1, 0, 5], [-2, 6, 0.5, '1', null, true, NaN, 2 ** 53]],
    [{ type: 'int', oneOf: [1, 3] }, [1, 3], [2, '1']],
    [{ type: 'int', min: 0, max: 9, oneOf: [1, 30] }, [1], [30, 2]],
    [
      { type: 'double', min: '-0.5', max: '1.25' },
      ['-0.5', '1.25', '0', 1],
      ['1.26', '1.250', '01', '1e0', 0.5, 2, null, 'x'],
    ],
    [{ type: 'string', maxLength: 2 }, ['', 'ab', '🙂🙂'], ['abc', 1, null, '\uD800']],
    [{ type: 'string', oneOf: ['ab', 'abc'] }, ['ab', 'abc'], ['a', 'AB']],
    [{ type: 'bool' }, [true, false], [0, 'true', null]],
    [
      { type: 'date', min: '2020-01-01', max: '2020-12-31' },
      ['2020-01-01', '2020-12-31'],
      ['2019-12-31', '2021-01-01', '2020-02-30', 20200101],
    ],
    [
      { type: 'timestamp', min: '2020-01-01T00:00:00.000Z', max: '2020-12-31T00:00:00.000Z' },
      ['2020-06-01T00:00:00.000Z'],
      ['2020-06-01', '2021-01-01T00:00:00.000Z'],
    ],
  ]

  it.each(cases)('holds values against %j', (declared, good, bad) => {
    for (const value of good)
      expect(parameterFaults({ p: declared }, { p: value as never }), String(value)).toEqual([])
    for (const value of bad)
      expect(parameterFaults({ p: declared }, { p: value as never }), String(value)).toHaveLength(1)
  })

  it('takes no inherited member for a parameter', () => {
    expect(parameterFaults({ ['toString' as string]: { type: 'bool' } }, {})).toHaveLength(1)
    expect(parameterFaults({}, { x: 1 })).toHaveLength(1)
  })
})

describe('a hostile text', () => {
  it('does not buy a comparison of everything with everything', () => {
    const columns = Array.from({ length: 1900 }, (_, i) => `${'c'.repeat(40)}${i}: { type: string }`).join(
      ', ',
    )
    const prepared = Array.from({ length: 1200 }, (_, i) => `      ${'d'.repeat(50)}${i}: {}`)
    const text = exampleYaml
      .replace('paid: {', `${columns.replaceAll(', ', '\n      ')}\n      paid: {`)
      .replace('preprocessing:', `preprocessing:\n${prepared.join('\n')}`)
    const started = performance.now()
    expect(readContract(text).problems.length).toBeGreaterThan(1000)
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  it('gets suggestions where they help', () => {
    expect(nearest('recipents', ['recipients', 'controls'])).toBe('Did you mean recipients?')
    expect(nearest('contorls', ['recipients', 'controls'])).toBe('Did you mean controls?')
    expect(nearest('xyz', ['recipients', 'controls'])).toBeUndefined()
  })
})
