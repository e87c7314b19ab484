import { describe, expect, it } from 'vitest'
import { signingKeyFromSeed } from '#libs/canonical'
import type { Identity } from '#libs/protocol'
import type { Act } from './history.js'
import { keyAt } from './identities.js'

const key = async (byte: number) => await signingKeyFromSeed(new Uint8Array(32).fill(byte))

async function links() {
  const [consent, first, second] = [await key(1), await key(2), await key(3)]
  const link = (index: number, daemon: typeof first) =>
    ({
      index,
      payload: {
        consentKey: consent.publicKey,
        daemonKey: daemon.publicKey,
        delegations: ['run-request'],
      } as unknown as Identity,
    }) as Act<Identity>
  // The second link renews another key, the third one the daemon's.
  return { first, second, chain: [link(5, first), link(20, first), link(40, second)] }
}

describe('keyAt', () => {
  it('takes a key from its first entry on, also where a later Identity names it again', async () => {
    const { first, chain } = await links()
    for (const index of [6, 19, 21, 39])
      expect(keyAt(chain, 'run-request', first.thumbprint, index)).toMatchObject({ fault: null })
  })

  it('accuses a key before its first entry and after it was replaced', async () => {
    const { first, second, chain } = await links()
    expect(keyAt(chain, 'run-request', first.thumbprint, 4).fault).toContain('only from entry 5')
    expect(keyAt(chain, 'run-request', second.thumbprint, 30).fault).toContain('only from entry 40')
    expect(keyAt(chain, 'run-request', first.thumbprint, 41).fault).toContain('entry 40 replaced')
    expect(keyAt(chain, 'run-request', (await key(9)).thumbprint, 41).key).toBeNull()
  })
})
