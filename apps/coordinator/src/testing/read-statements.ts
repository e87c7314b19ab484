/** Reads what statements say, without verifying: the test itself made them. */
import { unverifiedStatement } from '#libs/canonical'
import type { ContractPayload, ContractTerms } from '#libs/contract'
import type { RunView } from '#libs/protocol'

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows which statement it reads
export function payloadOf<P>(jws: string): P {
  return unverifiedStatement(jws).payload as P
}

export function payloadsOf<P>(view: RunView, type: string): P[] {
  return view.statements
    .filter((statement) => statement.type === type)
    .map(({ statement }) => payloadOf<P>(statement))
}

export function idsOf(view: RunView, type: string): string[] {
  return view.statements.filter((statement) => statement.type === type).map(({ id }) => id)
}

export function termsOf(jws: string): ContractTerms {
  return payloadOf<ContractPayload>(jws).terms
}
