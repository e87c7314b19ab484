/** Forms that fields of reference values have in several kinds. */
import { z } from 'zod'

/** SHA-256 of a key or a body, in base64url. */
export const thumbprint = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 'expected a 43-character thumbprint')

/** A security version of firmware. */
export const version = z.int().min(0).max(255)

/** At least one value that is acceptable, each once. */
export const anyOf = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .min(1, 'no value is acceptable')
    .max(100)
    .refine((values) => new Set(values).size === values.length, 'a value comes twice')

/** Bytes in lower-case hexadecimal. */
export const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `expected ${2 * bytes} lower-case hexadecimal characters`)

/** Evidence older than this is refused. */
export const maximumAgeSeconds = z.int().min(1).max(86_400)

/** An origin with a path and nothing else: exactly what tokens of a service say of their issuer. */
export const issuerUrl = z
  .string()
  .regex(
    /^https:\/\/[a-z0-9.-]{1,200}(?:\/[A-Za-z0-9._~-]{1,100}){0,4}$/,
    'expected a URL like https://service.example',
  )

/**
 * The keys with which a service signs: an RFC 7638 thumbprint of the key itself, or, for a service that changes its keys often, the SHA-256
 * fingerprint of a certificate above it, which its key set shows. A key set that is fetched is believed for these alone.
 */
export const serviceKeys = anyOf(z.union([thumbprint, hex(32)]))
