import { expect } from 'vitest'
import { spaces } from '../../../apps/agent/src/store/records.js'
import type { Scene } from './owner-under-attack.js'

/** No key left north's agent, none is kept to be sent later, and no more Spends stand on its disk than the protocol had due. */
export async function expectNothingGiven(scene: Scene, spends = 0): Promise<void> {
  expect(scene.released).toBe(0)
  expect(scene.spent).toBe(spends)
  expect(await scene.agent.store.list(spaces.spends)).toHaveLength(spends)
  for (const [, record] of await scene.agent.store.list(spaces.runs)) expect(record.releases).toEqual({})
}
