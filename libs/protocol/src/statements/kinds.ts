import type { StatementKind, StatementType } from '#libs/canonical'
import { activationKind, manifestKind, revocationKind, withdrawalKind } from './contract-acts.js'
import { identityKind, type DelegableAct } from './identity.js'
import { fetchKind, outputKeysKind, receiptKind, startKind } from './receipt.js'
import {
  acceptKind,
  evidenceKind,
  keyReleaseKind,
  nonceKind,
  offerKind,
  refusalKind,
  renewalKind,
  spendKind,
} from './round.js'
import { approvalKind, denialKind, runRequestKind } from './run-request.js'

/** Whose key makes a statement of each type. `daemon` also names the act that must be delegated. */
export type Authority =
  | { readonly key: 'consent' }
  | { readonly key: 'daemon'; readonly act: DelegableAct }
  | { readonly key: 'receipt' }
  | { readonly key: 'coordinator' }
  | { readonly key: 'identity' }

/** One line per statement type: who may make it, and whether it goes into the log. */
export const statementRules = {
  identity: { authority: { key: 'identity' }, logged: true },
  contract: { authority: { key: 'consent' }, logged: true },
  activation: { authority: { key: 'coordinator' }, logged: true },
  manifest: { authority: { key: 'daemon', act: 'manifest' }, logged: true },
  'run-request': { authority: { key: 'daemon', act: 'run-request' }, logged: true },
  approval: { authority: { key: 'consent' }, logged: true },
  denial: { authority: { key: 'consent' }, logged: true },
  nonce: { authority: { key: 'daemon', act: 'nonce' }, logged: false },
  offer: { authority: { key: 'receipt' }, logged: true },
  evidence: { authority: { key: 'receipt' }, logged: true },
  accept: { authority: { key: 'daemon', act: 'accept' }, logged: true },
  spend: { authority: { key: 'daemon', act: 'spend' }, logged: true },
  'key-release': { authority: { key: 'daemon', act: 'key-release' }, logged: true },
  refusal: { authority: { key: 'daemon', act: 'refusal' }, logged: true },
  start: { authority: { key: 'receipt' }, logged: true },
  renewal: { authority: { key: 'daemon', act: 'renewal' }, logged: false },
  receipt: { authority: { key: 'receipt' }, logged: true },
  'output-keys': { authority: { key: 'receipt' }, logged: true },
  fetch: { authority: { key: 'daemon', act: 'fetch' }, logged: true },
  revocation: { authority: { key: 'consent' }, logged: true },
  withdrawal: { authority: { key: 'daemon', act: 'withdrawal' }, logged: true },
} as const satisfies Record<StatementType, { authority: Authority; logged: boolean }>

/** Every kind but `contract`, whose schema is `#libs/contract`'s own. */
export const statementKinds = {
  identity: identityKind,
  activation: activationKind,
  manifest: manifestKind,
  'run-request': runRequestKind,
  approval: approvalKind,
  denial: denialKind,
  nonce: nonceKind,
  offer: offerKind,
  evidence: evidenceKind,
  accept: acceptKind,
  spend: spendKind,
  'key-release': keyReleaseKind,
  refusal: refusalKind,
  start: startKind,
  renewal: renewalKind,
  receipt: receiptKind,
  'output-keys': outputKeysKind,
  fetch: fetchKind,
  revocation: revocationKind,
  withdrawal: withdrawalKind,
} as const satisfies Record<Exclude<StatementType, 'contract'>, StatementKind<never> | StatementKind<unknown>>
