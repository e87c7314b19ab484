/** The contract that is audited and those that it supersedes, from signed bytes, and what was recorded about them. */
import {
  CodedError,
  fromBase64url,
  thumbprintOf,
  toBase64url,
  type Digest,
  type PublicKey,
  type StatementKind,
  type Thumbprint,
} from '#libs/canonical'
import {
  contractKind,
  keysOf,
  parseContract,
  verifySignatures,
  type Contract,
  type ContractPayload,
} from '#libs/contract'
import { activationKind, manifestKind, revocationKind, withdrawalKind } from '#libs/protocol'
import { AgentError } from '../errors.js'
import type { Act, ContractHistory } from './history.js'
import type { AuditMaterial } from './material.js'
import type { ActReader, PlacedBody, Signed } from './read-acts.js'

/** The payloads of contracts as shown, whoever signed them: who the parties are, and under which secret leaves name them. */
export function readTerms(material: AuditMaterial): readonly Contract[] {
  const shown = new Map<Digest, Contract>()
  for (const { type, statement } of material.statements) {
    if (type !== 'contract') continue
    try {
      const contract = parseContract(fromBase64url(statement.split('.')[1] ?? ''))
      shown.set(contract.id, contract)
    } catch (error) {
      // It cannot be the contract that is audited; its entry is named where its signature is read.
      if (!(error instanceof CodedError)) throw error
    }
  }
  const line: Contract[] = []
  for (let id: Digest | undefined = material.contract; id !== undefined;) {
    const contract: Contract | undefined = shown.get(id)
    if (contract === undefined || line.includes(contract)) break
    line.push(contract)
    id = contract.terms.governance.supersedes
  }
  if (line.length === 0)
    throw new AgentError('CONTRACT_NOT_VERIFIED', `the material holds no contract ${material.contract}`)
  return line
}

interface OfContract extends Signed {
  readonly contract: Digest
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] extends readonly (infer Item)[] ? Item[] : T[Name] }

/** Reads what was recorded about contracts and about no run. */
export class ContractsReader {
  private readonly contracts = new Map<Digest, Mutable<ContractHistory>>()

  private constructor(
    private readonly reader: ActReader,
    private readonly coordinatorKey: PublicKey,
  ) {}

  /** Verifies the signatures of each contract, each on its own, and whether they make it signed. */
  static async begin(
    contracts: readonly Contract[],
    bodies: readonly PlacedBody[],
    reader: ActReader,
    given: {
      readonly consentKeys: ReadonlyMap<Thumbprint, PublicKey>
      readonly coordinatorKey: PublicKey
    },
  ): Promise<ContractsReader> {
    const read = new ContractsReader(reader, given.coordinatorKey)
    for (const contract of contracts) {
      const payload = toBase64url(contract.payloadBytes)
      const own = bodies.filter(
        ({ type, statement }) => type === 'contract' && statement.split('.')[1] === payload,
      )
      const { id, terms } = contract
      const signatures = await signaturesOf(contract, own, reader, given.consentKeys)
      const standing = await signedBy(contract, signatures, given.consentKeys)
      const empty = { activations: [], manifests: [], withdrawals: [], revocations: [], hidden: [] }
      read.contracts.set(id, { id, terms, ...standing, signatures, ...empty })
    }
    return read
  }

  get all(): ReadonlyMap<Digest, ContractHistory> {
    return this.contracts
  }

  /** Takes a body up; a type that belongs to a run is left alone. */
  async read(body: PlacedBody): Promise<void> {
    if (body.type === 'activation') this.take((contract) => contract.activations, await this.activation(body))
    if (body.type === 'manifest') await this.party(manifestKind, body, (contract) => contract.manifests)
    if (body.type === 'withdrawal') await this.party(withdrawalKind, body, (contract) => contract.withdrawals)
    if (body.type === 'revocation') await this.party(revocationKind, body, (contract) => contract.revocations)
  }

  // A contract names its coordinator by thumbprint; the key itself comes with the material.
  private async activation(body: PlacedBody) {
    const key = this.coordinatorKey
    if (body.kid === thumbprintOf(key)) return await this.reader.byKey(activationKind, body, key)
    return this.reader.refuse('authority', body, `the coordinator’s key ${thumbprintOf(key)}`, body.kid)
  }

  private async party<P extends OfContract>(
    kind: StatementKind<P>,
    body: PlacedBody,
    list: (contract: Mutable<ContractHistory>) => Act<P>[],
  ): Promise<void> {
    this.take(list, await this.reader.byParty(kind, body))
  }

  private take<P extends OfContract>(
    list: (contract: Mutable<ContractHistory>) => Act<P>[],
    act: Act<P> | null,
  ): void {
    const contract = act === null ? undefined : this.contracts.get(act.payload.contract)
    if (act === null || contract === undefined) return
    this.reader.expectPseudonyms(act, contract.terms.log.secret, act.payload.by, null)
    list(contract).push(act)
  }
}

async function signaturesOf(
  { id, terms }: Contract,
  bodies: readonly PlacedBody[],
  reader: ActReader,
  consentKeys: ReadonlyMap<Thumbprint, PublicKey>,
): Promise<Act<ContractPayload>[]> {
  const signatories = keysOf(terms, terms.governance.signatories)
  const signatures: Act<ContractPayload>[] = []
  for (const body of bodies) {
    if (!signatories.includes(body.kid)) {
      reader.refuse('contract.signatory', body, 'a signatory of the contract', body.kid)
      continue
    }
    const key = consentKeys.get(body.kid)
    const act = key === undefined ? reader.withoutIdentity(body) : await reader.under(contractKind, body, key)
    if (act?.id !== id) continue
    reader.expectPseudonyms(act, terms.log.secret, act.statement.kid, null)
    signatures.push(act)
  }
  return signatures
}

async function signedBy(
  contract: Contract,
  signatures: readonly Act<ContractPayload>[],
  consentKeys: ReadonlyMap<Thumbprint, PublicKey>,
): Promise<Pick<ContractHistory, 'signed' | 'unsigned'>> {
  try {
    const texts = signatures.map(({ statement }) => statement.jws)
    return {
      signed: await verifySignatures(contract.payloadBytes, texts, consentKeys),
      unsigned: null,
    }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return { signed: null, unsigned: error.message }
  }
}
