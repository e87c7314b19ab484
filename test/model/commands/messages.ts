/** What a coordinator does with messages: it loses, delays, doubles, reorders and keeps back. */
import fc from 'fast-check'
import type { StatementType } from '#libs/canonical'
import type { Fate } from '../keeper.js'
import { act, anOwner, aViewer } from './act.js'

const fate: fc.Arbitrary<Fate> = fc.constantFrom('lost', 'answerLost', 'delayed', 'unlogged')
const kept: fc.Arbitrary<StatementType> = fc.constantFrom(
  'approval',
  'nonce',
  'offer',
  'evidence',
  'accept',
  'spend',
  'key-release',
  'renewal',
  'start',
  'receipt',
  'refusal',
  'withdrawal',
  'manifest',
)

export const doom = fc.tuple(aViewer, fc.array(fate, { minLength: 1, maxLength: 3 })).map(([from, fates]) =>
  act('doom', [from, fates], (world) => {
    for (const one of fates) world.keeper.doom(from, one)
  }),
)

export const deliverLate = fc.constant(act('deliverLate', [], (world) => world.keeper.deliverLate()))

export const withhold = fc.tuple(aViewer, kept).map(([viewer, type]) =>
  act('withhold', [viewer, type], (world) => {
    world.keeper.shown.to(viewer).withheld.add(type)
  }),
)

export const showAll = aViewer.map((viewer) =>
  act('showAll', [viewer], (world) => {
    const lies = world.keeper.shown.to(viewer)
    lies.withheld.clear()
    lies.identities = null
    lies.size = Infinity
    lies.flickers = null
  }),
)

export const order = fc
  .tuple(aViewer, fc.constantFrom('asRecorded', 'reversed', 'doubled'))
  .map(([viewer, how]) =>
    act('order', [viewer, how], (world) => {
      world.keeper.shown.to(viewer).order = how
    }),
  )

/** Renewals do not reach the worker, so leases run out. */
export const loseRenewals = anOwner.map((owner) =>
  act('loseRenewals', [owner], async (world) => {
    world.keeper.shown.to('worker').withheld.add('renewal')
    await world.pass(70)
  }),
)
