/** Collateral of TDX from Intel's provisioning certification service, or a mirror of it (Intel PCS API, version 4). */
import { fromHex, fromUtf8, utf8 } from '#libs/canonical'
import type { Collateral, TdxCollateralAsk } from '#libs/attestation'
import { AgentError } from '../errors.js'
import { download, type Downloaded, type DownloadBounds } from './download.js'

/** Where Intel's service answers, and where its root publishes its list. */
export interface IntelHosts {
  readonly service: string
  readonly root: string
}

/**
 * Gets everything that a verdict on a quote of these platforms needs.
 * @throws AgentError `COLLATERAL_UNREACHABLE`.
 */
export async function fetchIntel(
  hosts: IntelHosts,
  { fmspc, authority }: TdxCollateralAsk,
  bounds: DownloadBounds,
): Promise<Collateral> {
  const get = (path: string) => download(new URL(path, hosts.service), bounds)
  const [tcb, identity, list, rootList] = await Promise.all([
    get(`/tdx/certification/v4/tcb?fmspc=${fmspc}`),
    get('/tdx/certification/v4/qe/identity'),
    get(`/sgx/certification/v4/pckcrl?ca=${authority}&encoding=der`),
    download(new URL('/IntelSGXRootCA.der', hosts.root), bounds),
  ])
  const tcbInfo = signedPart(tcb, 'tcbInfo')
  const qeIdentity = signedPart(identity, 'enclaveIdentity')
  return {
    tcb_info: tcbInfo.text,
    tcb_info_signature: tcbInfo.signature,
    tcb_info_issuer_chain: chainIn(tcb, 'TCB-Info-Issuer-Chain'),
    qe_identity: qeIdentity.text,
    qe_identity_signature: qeIdentity.signature,
    qe_identity_issuer_chain: chainIn(identity, 'SGX-Enclave-Identity-Issuer-Chain'),
    pck_crl: list.body,
    pck_crl_issuer_chain: chainIn(list, 'SGX-PCK-CRL-Issuer-Chain'),
    root_ca_crl: rootList.body,
  }
}

// What is signed are the bytes of the inner object as they came, so they are cut out and never written anew.
function signedPart({ body }: Downloaded, name: string): { text: Uint8Array; signature: Uint8Array } {
  const found = new RegExp(
    `^\\s*\\{\\s*"${name}"\\s*:\\s*(\\{.*\\})\\s*,\\s*"signature"\\s*:\\s*"([0-9A-Fa-f]{128})"\\s*\\}\\s*$`,
    's',
  )
  const [, text, signature] = found.exec(textOf(body, name)) ?? []
  if (text === undefined || signature === undefined) throw unusable(name)
  return { text: utf8(text), signature: fromHex(signature.toLowerCase()) }
}

function chainIn({ headers }: Downloaded, name: string): Uint8Array {
  const value = headers.get(name)
  if (value === null) throw unusable(name)
  try {
    return utf8(decodeURIComponent(value))
  } catch (cause) {
    throw unusable(name, cause)
  }
}

function textOf(body: Uint8Array, name: string): string {
  try {
    return fromUtf8(body)
  } catch (cause) {
    throw unusable(name, cause)
  }
}

function unusable(name: string, cause?: unknown): AgentError {
  return new AgentError('COLLATERAL_UNREACHABLE', `the answer of Intel's service has no usable ${name}`, {
    cause,
  })
}
