/**
 * That each guard is there, by switching it off: then a test must go red that is green with it. With `SLOW=1` all of them, each in
 * a process of its own; always, that the table fits the sources, the specs and what test/README.md shows of it.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { slow } from '#libs/testing'
import { root } from '../../demo/src/stack/processes.js'
import { switchOff, type Guard } from './guard.js'
import { covered, guards } from './guards.js'
import { shownTable } from './shown-table.js'
import { runWithout } from './run-without.js'

const minutes = 60_000

/** What must go on without a guard: a protocol in which nothing happens proves nothing about it. */
const honest = {
  adversary: {
    spec: 'test/adversary/an-honest-run-releases-once.spec.ts',
    title:
      'gets one Nonce, Accept, Spend and KeyRelease from the owner, and only the segments that the query reads',
  },
  model: { spec: 'test/model/model.spec.ts', title: 'brings an honest run to its end' },
}

const read = (path: string) => readFile(join(root, path), 'utf8')

function honestFor({ foundBy }: Guard) {
  return foundBy.spec.startsWith('test/model/') ? honest.model : honest.adversary
}

function rowOf(together: string): Guard {
  const row = guards.find(({ does }) => does === together)
  if (row === undefined) throw new RangeError(`no guard: ${together}`)
  return row
}

describe('the table of guards', () => {
  it('names each guard once', () => {
    const names = [...guards, ...covered].map(({ does }) => does)
    expect(new Set(names).size).toBe(names.length)
  })

  it.each([...guards, ...covered].map((guard) => [guard.does, guard] as const))(
    'fits the sources: %s',
    async (_does, { off }) => {
      for (const edit of off) {
        const source = await read(edit.file)
        expect(switchOff(source, edit)).not.toBe(source)
      }
    },
  )

  it('is the one that the readme of the tests shows', async () => {
    expect(await read('test/README.md')).toContain(shownTable(guards, covered))
  })
})

describe.runIf(slow)('without its guard', () => {
  it.each(guards.map((guard) => [guard.does, guard] as const))(
    'the protocol is broken, and a test says so: %s',
    async (does, guard) => {
      const works = honestFor(guard)
      const ended = await runWithout(does, [works, guard.foundBy])
      const [found] = ended.filter(({ title }) => title === guard.foundBy.title)
      expect(ended.filter(({ title }) => title === works.title)).toEqual([
        { title: works.title, passed: true, says: '' },
      ])
      expect(found?.passed).toBe(false)
      expect(found?.says).toMatch(guard.foundBy.says)
    },
    5 * minutes,
  )

  it.each(covered.map((guard) => [guard.does, guard] as const))(
    'the protocol holds by the next one: %s',
    async (does, { together }) => {
      const { foundBy } = rowOf(together)
      expect(await runWithout(does, [foundBy])).toEqual([{ title: foundBy.title, passed: true, says: '' }])
    },
    5 * minutes,
  )
})
