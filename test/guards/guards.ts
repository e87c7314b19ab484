/**
 * What stands between a lying coordinator and a key, and the test that goes red without it. guards.spec.ts switches each off in
 * turn, so that this table is what is, and test/README.md shows it.
 */
import type { CoveredGuard, Edit, Finder, Guard } from './guard.js'

const agent = (path: string) => `apps/agent/src/${path}.ts`
const enclave = (path: string) => `apps/enclave/src/${path}.ts`

function attack(spec: string, title: string): Finder {
  return { spec: `test/adversary/${spec}.spec.ts`, title, says: /^AssertionError/ }
}

/** A test of the model; `says` is the invariant that is broken. */
function model(title: string, says: RegExp): Finder {
  return { spec: 'test/model/model.spec.ts', title, says }
}

const early = /output keys of run \w+ came before its Receipt was in a cosigned checkpoint/

/** Edits that stand in more than one row. */
const edits = {
  furtherReading: {
    file: agent('daemon/after-start'),
    was: '      await this.readOwnRecords(contract)\n      return []\n    }\n    const others',
    becomes: '      return []\n    }\n    const others',
  },
  adoptedAtOnce: {
    file: agent('daemon/act-on-run'),
    was: '  if (record.adopted)\n',
    becomes: '  if (false)\n',
  },
  adoptedBeforeDeciding: {
    file: agent('daemon/act-on-run'),
    was: '  if ((await runRecord(acting.agent, contract.id, run.id)).adopted)\n',
    becomes: '  if (false)\n',
  },
  inclusionOfReceipt: {
    file: enclave('run-log'),
    was: '      await this.expectIncluded(checkpoint, [logged])\n',
    becomes: '',
  },
} as const satisfies Record<string, Edit>

/** In the order of the protocol. */
export const guards: readonly Guard[] = [
  {
    does: 'every party’s key was compared by people',
    off: [
      {
        file: agent('trust/verify-contract'),
        was: '  await expectPinned(agent, terms)\n',
        becomes: '',
      },
    ],
    foundBy: attack('coordinator-alters-the-contract', 'whose party nobody here has pinned, gets nothing'),
  },
  {
    does: 'the Activation is in the log that the owner read',
    off: [
      {
        file: agent('trust/verify-contract'),
        was: '  if ((await findLeaf(agent, activation.digest)) === undefined)\n',
        becomes: '  if (false)\n',
      },
    ],
    foundBy: attack('coordinator-alters-the-contract', 'whose Activation is not in the log, gets nothing'),
  },
  {
    does: 'an act under the contract that the log has and nobody shows stops the owner',
    off: [
      {
        file: agent('trust/verify-contract'),
        was: '  await expectNothingHidden(agent, terms, view)\n',
        becomes: '',
      },
    ],
    foundBy: attack(
      'coordinator-hides-or-mixes-records',
      'gets nothing when it hides that another owner withdrew its data',
    ),
  },
  {
    does: 'an act in the run that the log has and nobody shows stops the owner',
    off: [
      {
        file: agent('trust/whole-record'),
        was: '  if (hidden !== undefined)\n',
        becomes: '  if (false)\n',
      },
    ],
    foundBy: attack('coordinator-hides-or-mixes-records', 'gets nothing when it hides a Denial'),
  },
  {
    does: 'an older Identity is not taken in place of a newer one',
    off: [
      {
        file: agent('trust/known-parties'),
        was: '  expectExtension(known?.ids ?? [], chain)\n',
        becomes: '',
      },
    ],
    foundBy: attack(
      'coordinator-alters-the-contract',
      'and an older Identity of a party than it showed before, gets nothing',
    ),
  },
  {
    does: 'an Approval counts once it is in the log',
    off: [
      {
        file: agent('daemon/facts'),
        was: '(await inLog(agent, run.approvals)).map(vote)',
        becomes: 'run.approvals.map(vote)',
      },
    ],
    foundBy: attack(
      'approvals-and-consent-are-the-owners-own',
      'takes no Approval that is shown and not in the log',
    ),
  },
  {
    does: 'a nonce lives in memory, and an Offer over one that is lost is not accepted',
    off: [
      {
        file: agent('daemon/act-on-run'),
        was: '  if (acting.liveRounds.get(run.id)?.round === run.round) return await accept(acting, contract, run)\n',
        becomes: '  if (acting) return await accept(acting, contract, run)\n',
      },
      {
        file: agent('daemon/facts'),
        was: 'nonces: known.live === null ? [] : [known.live.nonce] }',
        becomes: 'nonces: run.nonces.map(({ payload }) => payload.nonce) }',
      },
      {
        file: agent('daemon/facts'),
        was: 'ownRound: { round: known.live?.round ?? 0,',
        becomes: 'ownRound: { round: run.round,',
      },
    ],
    foundBy: attack(
      'a-dataset-key-is-released-once',
      'forgets a nonce in a crash: an Offer over it could be a replay, so it waits for another round',
    ),
  },
  {
    does: 'an owner verifies the evidence of each Offer itself',
    off: [
      {
        file: agent('trust/appraise-offers'),
        was: "        validUntil: 0,\n        failed:\n          failed.length > 0\n            ? failed.map(({ check, expected, seen }) => ({ check, expected, seen: `${seen} (${code})` }))\n            : [{ check: field, expected: 'evidence that verifies', seen: code }],\n",
        becomes: '        validUntil: Number.MAX_SAFE_INTEGER,\n        failed: [],\n',
      },
    ],
    foundBy: attack(
      'coordinator-swaps-enclave-key',
      'gets nothing when the HPKE key is swapped under genuine evidence',
    ),
  },
  {
    does: 'simulated evidence counts where the house rules allow it',
    off: [
      {
        file: agent('daemon/facts'),
        was: 'simulatedAllowed: agent.houseRules.allowSimulated',
        becomes: 'simulatedAllowed: true',
      },
    ],
    foundBy: attack(
      'simulated-evidence-needs-two-wills',
      'is refused by an owner whose house rules do not allow it',
    ),
  },
  {
    does: 'a key goes when every owner has cosigned the Spends',
    off: [
      {
        file: agent('daemon/recorded-spends'),
        was: '    if ((await findCosignature(parseNote(note), { name: witnessName(origin, owner), key })) === undefined)\n      return null\n',
        becomes: '    void key\n',
      },
    ],
    foundBy: attack(
      'keys-before-the-record-of-spends',
      'gets no key for Spends in a checkpoint that an owner has not cosigned',
    ),
  },
  {
    does: 'the cosigned checkpoint holds every Spend',
    off: [
      {
        file: agent('daemon/recorded-spends'),
        was: 'leaf !== undefined && leaf.index < checkpoint.size',
        becomes: 'leaf !== undefined',
      },
    ],
    foundBy: attack(
      'keys-before-the-record-of-spends',
      'gets no key for a cosigned checkpoint that ends before a Spend',
    ),
  },
  {
    does: 'the cosigned checkpoint is of the tree that the owner follows',
    off: [
      {
        file: agent('daemon/recorded-spends'),
        was: '  await expectOnTheWay(agent, checkpoint)\n',
        becomes: '',
      },
    ],
    foundBy: attack(
      'coordinator-forks-the-log',
      'gets no key for Spends recorded in a fork that the owner’s own view does not hold',
    ),
  },
  {
    does: 'what a crash kept back is decided on again before it is sent',
    off: [
      {
        file: agent('daemon/act-on-run'),
        was: '  if (unsent.length > 0) {\n',
        becomes: '  if (false) {\n',
      },
    ],
    foundBy: attack('a-release-that-was-never-sent', 'is not sent when the Offer has expired since'),
  },
  {
    does: 'after a start the owner waits for the cosignatures of all others',
    off: [
      {
        file: agent('daemon/after-start'),
        was: '    if (missing.length > 0) {\n',
        becomes: '    if (false) {\n',
      },
    ],
    foundBy: attack(
      'a-dataset-key-is-released-once',
      'waits until every other owner has cosigned a checkpoint since its start',
    ),
  },
  {
    does: 'a cosignature from before the start does not count',
    off: [
      {
        file: agent('daemon/after-start'),
        was: 'cosignature !== undefined && cosignature.timeSeconds * 1000 >= this.startedAt',
        becomes: 'cosignature !== undefined',
      },
    ],
    foundBy: attack(
      'a-dataset-key-is-released-once',
      'is not brought up to date by a cosignature from before its start',
    ),
  },
  {
    does: 'the tree that the owner reads after a start is the one that the others cosigned',
    off: [
      {
        file: agent('daemon/after-start'),
        was: '    await expectOnTheWay(this.agent, checkpoint)\n',
        becomes: '',
      },
    ],
    foundBy: attack(
      'restored-agents-and-their-log',
      'does not take a longer tree of its own for the one that the others cosigned',
    ),
  },
  {
    does: 'the owner takes over what the log has of its own and its store lacks',
    off: [
      {
        file: agent('daemon/after-start'),
        was: "({ type }) => type === 'spend' || type === 'key-release'",
        becomes: '() => false',
      },
    ],
    foundBy: attack(
      'restored-agents-and-their-log',
      'whose clock is behind, and which an older cosignature satisfies, still finds its Spend when the log holds it',
    ),
  },
  {
    does: 'the owner reads its own records again before each step',
    off: [edits.furtherReading],
    foundBy: attack(
      'restored-agents-and-their-log',
      'whose clock is behind, and which an older cosignature satisfies, still finds its Spend when the log holds it',
    ),
  },
  {
    does: 'nothing is released for a run that was spent on before a restore',
    off: [edits.adoptedAtOnce, edits.adoptedBeforeDeciding],
    foundBy: attack(
      'a-dataset-key-is-released-once',
      'releases nothing a second time where the backup is older than the release only',
    ),
  },
  {
    does: 'output keys are signed once the Receipt is in the checkpoint',
    off: [edits.inclusionOfReceipt],
    foundBy: model('gives no output keys where {"shown":"spendsCheckpoint","cosigners":[]}', early),
  },
  {
    does: 'a run stops when a lease has run out',
    off: [{ file: enclave('leases'), was: '    if (lost !== null)\n', becomes: '    if (false)\n' }],
    foundBy: attack(
      'enclave-lets-out-only-what-passed',
      'lets nothing out when an owner’s lease runs out, and names the owner',
    ),
  },
]

/** Each of these has another behind it, so that no test finds it alone. */
export const covered: readonly CoveredGuard[] = [
  {
    does: 'a run that was spent on before a restore is left alone at once',
    off: [edits.adoptedAtOnce],
    because: 'it is asked again before each decision',
    together: 'nothing is released for a run that was spent on before a restore',
  },
]

/** @throws RangeError for a name that stands in no row. */
export function editsOf(does: string): readonly Edit[] {
  const row = [...guards, ...covered].find((one) => one.does === does)
  if (row === undefined) throw new RangeError(`no guard: ${does}`)
  return row.off
}
