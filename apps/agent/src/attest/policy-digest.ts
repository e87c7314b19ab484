/**
 * Digests by which hardware binds a policy for confidential containers: the host puts one into HOST_DATA (SNP) or MRCONFIGID (TDX) at
 * launch, the runtime inside refuses another policy, and a contract names it. Says nothing about whether the policy is a good one.
 */
import { createHash } from 'node:crypto'
import { CodedError, fromBase64, fromUtf8 } from '#libs/canonical'
import { AgentError } from '../errors.js'

/** A digest with where a contract names it, in hexadecimal. */
export interface PolicyDigest {
  readonly form: 'ccePolicy' | 'init-data'
  readonly algorithm: 'sha256' | 'sha384' | 'sha512'
  readonly digest: string
  /** HOST_DATA has 32 bytes. */
  readonly hostData: string
  /** MRCONFIGID has 48 bytes; null where the form knows no TDX. */
  readonly mrConfigId: string | null
  /** Register 8 of an Azure VM's vTPM, once init-data was measured into it; null for the other form. */
  readonly pcr8: string | null
  /** Digests of images and layers that the policy names, each once, in order. */
  readonly images: readonly string[]
}

/**
 * Reads Rego, its base64 as Azure's templates hold it, or init-data in TOML.
 * @throws AgentError `USAGE` where it is none of them.
 */
export function policyDigest(file: Uint8Array, path: string): PolicyDigest {
  const text = textOf(file)
  if (text !== undefined && isRego(text)) return ofRego(file, text)
  const decoded = text === undefined ? undefined : decode(text)
  const inside = decoded === undefined ? undefined : textOf(decoded)
  if (decoded !== undefined && inside !== undefined && isRego(inside)) return ofRego(decoded, inside)
  const algorithm = text === undefined ? undefined : algorithmOf(text)
  if (text !== undefined && algorithm !== undefined) return ofInitData(file, text, algorithm)
  throw new AgentError(
    'USAGE',
    `${path} is no policy known here; expected Rego that begins with a package, that in base64, or init-data with an algorithm of sha256, sha384 or sha512`,
  )
}

// Azure: SHA-256 of the policy as decoded from the template.
function ofRego(rego: Uint8Array, text: string): PolicyDigest {
  const digest = createHash('sha256').update(rego).digest('hex')
  const images = imagesIn(text)
  return {
    form: 'ccePolicy',
    algorithm: 'sha256',
    digest,
    hostData: digest,
    mrConfigId: null,
    pcr8: null,
    images,
  }
}

// Confidential Containers: the hash of the TOML as it stands, cut or filled up with zeros to what the hardware takes.
function ofInitData(file: Uint8Array, text: string, algorithm: PolicyDigest['algorithm']): PolicyDigest {
  const digest = createHash(algorithm).update(file).digest()
  const sized = (bytes: number): string =>
    digest
      .toString('hex')
      .slice(0, 2 * bytes)
      .padEnd(2 * bytes, '0')
  const pcr8 = createHash('sha256').update(new Uint8Array(32)).update(digest).digest('hex')
  return {
    form: 'init-data',
    algorithm,
    digest: digest.toString('hex'),
    hostData: sized(32),
    mrConfigId: sized(48),
    // A register of the SHA-256 bank is extended by 32 bytes; longer digests are hashed by nobody on the way.
    pcr8: algorithm === 'sha256' ? pcr8 : null,
    images: imagesIn(text),
  }
}

function isRego(text: string): boolean {
  return /^(?:\s|#[^\n]*\n)*package [a-z_]+/.test(text)
}

function algorithmOf(text: string): PolicyDigest['algorithm'] | undefined {
  const [top = ''] = text.split(/^\s*\[/m)
  const named = /^\s*algorithm\s*=\s*["'](sha256|sha384|sha512)["']\s*(?:#.*)?$/m.exec(top)?.[1]
  return named as PolicyDigest['algorithm'] | undefined
}

const maximumImages = 1000

function imagesIn(text: string): readonly string[] {
  const found = text.matchAll(/\bsha256:[0-9a-f]{64}\b/g)
  return [...new Set([...found].slice(0, maximumImages).map(([digest]) => digest))]
}

function decode(text: string): Uint8Array | undefined {
  try {
    return fromBase64(text.trim())
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return fromUtf8(bytes)
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}
