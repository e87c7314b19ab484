/**
 * The rules over history (design: section 9), in the order in which they are told. Signatures, authority, leaves and bodies are
 * verified while the history is read: see read-history.ts and {@link readingRules}.
 */
import { contractRules } from './contract-rules.js'
import { decisionRules } from './decision-rules.js'
import { logRules } from './log-rules.js'
import { outputRules } from './output-rules.js'
import { roundRules } from './round-rules.js'
import type { AuditRule } from './rule.js'
import { spendRules } from './spend-rules.js'
import { timeRules } from './time-rules.js'

export { audited, type AuditRule } from './rule.js'

export const auditRules: readonly AuditRule[] = [
  ...logRules,
  ...contractRules,
  ...decisionRules,
  ...roundRules,
  ...spendRules,
  ...outputRules,
  ...timeRules,
]

/** What is checked of each entry before rules are asked; by the names that findings carry. */
export const readingRules: Readonly<Record<string, string>> = {
  'log.leaf': 'every leaf is a record of the log',
  'log.ownView': 'the leaves are those that this auditor’s own agent read',
  'log.once': 'no statement stands in the log twice',
  'checkpoint.signature': 'the log’s key signed every checkpoint',
  'checkpoint.cosignature': 'a line under a witness’s key is its cosignature',
  'identity.chain': 'a party’s Identities are under one consent key, each naming the one before',
  'record.logged': 'every statement of a logged type is in the log',
  'record.type': 'a leaf is of the type of its statement',
  'record.log': 'a statement is for this log',
  'leaf.pseudonym': 'a leaf names signer and run by the contract’s pseudonyms',
  signature: 'every statement is signed, canonical and as its schema says',
  authority: 'the key that signed may make such a statement, at its place in the log',
  'contract.signatory': 'who signed a contract is a signatory of it',
  'contract.log': 'the contract is for this log, under this key',
  'contract.pinned': 'this auditor’s people compared every party’s key',
  'request.sealed': 'the sealed part of a request is the one that it names',
  'evidence.bytes': 'evidence bytes are the ones that the Evidence names',
}
