/** Files below an argument, read as far as somebody asks. */
import { closeSync, openSync, readFileSync, readSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { constants, gunzipSync } from 'node:zlib'
import { fromUtf8 } from '#libs/canonical'
import { MalformedVectors } from './kind.js'

/** Names of files that accompany vectors and are none. */
const accompanies = /^(?:index\.json|readme.*|licen[cs]e.*|notice.*|\..*)$|\.md$/i
/** Bytes by which a kind may recognise a file that is not JSON. */
const headLength = 4096
/** DEFLATE makes of a byte at most this many. */
const deflateLimit = 1032
/** Larger files are read as a stream or not at all. */
const maximumJson = 256 * 1024 * 1024

/** A file that may hold vectors. */
export class VectorFile {
  readonly path: string
  #json: { readonly value: unknown } | undefined

  constructor(path: string) {
    this.path = path
  }

  get name(): string {
    return basename(this.path)
  }

  /** The first bytes of the file as they lie there. */
  get beginning(): Buffer {
    const bytes = Buffer.alloc(headLength)
    const file = openSync(this.path, 'r')
    try {
      return bytes.subarray(0, readSync(file, bytes, 0, headLength, 0))
    } finally {
      closeSync(file)
    }
  }

  /** The first characters of the file, unpacked where it is a gzip. */
  get head(): string {
    const { beginning } = this
    return isGzip(beginning) ? unpackedHead(beginning) : beginning.toString('latin1')
  }

  /**
   * The value of a file whose name ends in `.json`; undefined for any other.
   * @throws MalformedVectors where it is not JSON.
   */
  get json(): unknown {
    if (!this.name.toLowerCase().endsWith('.json')) return undefined
    this.#json ??= { value: parseJson(this.path) }
    return this.#json.value
  }
}

/**
 * Every file below a path that may hold vectors, in the order of their names.
 * @throws Error where there is nothing at the path.
 */
export function filesBelow(path: string, seen = new Set<string>()): VectorFile[] {
  const place = realpathSync(path)
  if (seen.has(place)) return []
  seen.add(place)
  if (!statSync(place).isDirectory()) return accompanies.test(basename(path)) ? [] : [new VectorFile(path)]
  return readdirSync(place)
    .sort()
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => filesBelow(join(path, name), seen))
}

/** Whether bytes begin as a gzip does (RFC 1952 §2.3.1). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

// The beginning of a gzip is cut off in the middle, which is an error to zlib unless it is told to flush what it has.
function unpackedHead(head: Buffer): string {
  try {
    return gunzipSync(head, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: deflateLimit * headLength,
    }).toString('latin1')
  } catch (cause) {
    throw new MalformedVectors('a gzip that cannot be unpacked', { cause })
  }
}

function parseJson(path: string): unknown {
  const size = statSync(path).size
  if (size > maximumJson)
    throw new MalformedVectors(`${size} bytes of JSON; at most ${maximumJson} are read as a whole`)
  try {
    return JSON.parse(fromUtf8(readFileSync(path))) as unknown
  } catch (cause) {
    throw new MalformedVectors(`not JSON: ${cause instanceof Error ? cause.message : 'unreadable'}`, {
      cause,
    })
  }
}
