import { describe, expect, it } from 'vitest'
import { lineJournal } from './journal.js'

describe('lineJournal', () => {
  it('says in every line of a simulated worker that it is one', () => {
    const lines: string[] = []
    const journal = lineJournal((line) => lines.push(line), true)
    journal('registered', { measurement: 'ab' })
    journal('ended', { code: 'done' })
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { step: 'registered', measurement: 'ab', tee: 'SIMULATED TEE' },
      { step: 'ended', code: 'done', tee: 'SIMULATED TEE' },
    ])
  })

  it('says nothing of it for real hardware', () => {
    const lines: string[] = []
    lineJournal((line) => lines.push(line), false)('assigned', { run: 'ab' })
    expect(lines).toEqual(['{"step":"assigned","run":"ab"}\n'])
  })
})
