/**
 * Files of C2SP/wycheproof, told apart by their `algorithm`. `valid` must pass, `invalid` must be refused, `acceptable` may do either;
 * parameters and algorithms that the project has no use for are not used, and said so.
 */
import { z } from 'zod'
import type { NotUsed, VectorCase, VectorKind } from './kind.js'
import { isRecord, readAs } from './reading.js'
import type { Verdict } from './verdict.js'
import { algorithms, type Judge } from './wycheproof-algorithms.js'

const fileSchema = z.object({
  algorithm: z.string(),
  testGroups: z.array(z.looseObject({ tests: z.array(z.looseObject({})).min(1) })).min(1),
})
const testSchema = z.object({ tcId: z.int(), result: z.enum(['valid', 'invalid', 'acceptable']) })

export const wycheproof: VectorKind = {
  name: 'Wycheproof',
  looksFor: 'a JSON object {algorithm, testGroups: [{tests: [{tcId, result, …}]}]}',
  recognise({ json }) {
    if (!isRecord(json) || !('testGroups' in json || ('algorithm' in json && 'numberOfTests' in json)))
      return undefined
    return { cases: () => casesOf(readAs(fileSchema, json, 'the file')) }
  },
}

function* casesOf({ algorithm, testGroups }: z.infer<typeof fileSchema>): Generator<VectorCase | NotUsed> {
  const judge = Object.hasOwn(algorithms, algorithm) ? algorithms[algorithm] : undefined
  for (const group of testGroups) {
    const why = judge === undefined ? 'the project does not use this algorithm' : judge.whyNotUsed(group)
    if (judge === undefined || typeof why === 'string')
      yield { notUsed: algorithm, why: why ?? '', cases: group.tests.length }
    else for (const test of group.tests) yield caseOf(judge, group, test)
  }
}

function caseOf(
  judge: Judge,
  group: Readonly<Record<string, unknown>>,
  test: Readonly<Record<string, unknown>>,
): VectorCase | NotUsed {
  const { tcId, result } = readAs(testSchema, test, 'a test')
  const see = judge.judge(group, test)
  if ('notUsed' in see) return see
  const expected: Readonly<Record<typeof result, Verdict | 'accepted or refused'>> = {
    valid: 'accepted',
    invalid: 'refused',
    acceptable: 'accepted or refused',
  }
  return {
    id: `tcId ${tcId}`,
    expected: expected[result],
    see: async () => {
      const seen = await see.verdict(result)
      const either = result === 'acceptable' && (seen === 'accepted' || seen === 'refused')
      return either ? expected[result] : seen
    },
  }
}
