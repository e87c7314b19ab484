/** One file from a vendor's service. Guards time and size, and that nothing leads elsewhere; says nothing about what comes. */
import { AgentError } from '../errors.js'

/** A file with the headers beside it. */
export interface Downloaded {
  readonly body: Uint8Array
  readonly headers: Headers
}

/** What a download may take. */
export interface DownloadBounds {
  readonly timeoutMilliseconds: number
  readonly maximumBytes: number
  readonly signal: AbortSignal
}

/**
 * Gets a file.
 * @throws AgentError `COLLATERAL_UNREACHABLE`.
 */
export async function download(url: URL, bounds: DownloadBounds): Promise<Downloaded> {
  const signal = AbortSignal.any([bounds.signal, AbortSignal.timeout(bounds.timeoutMilliseconds)])
  try {
    // A redirect would let the service, or whoever stands in between, choose the host.
    const response = await fetch(url, { redirect: 'error', signal })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw unreachable(url, `it answered ${response.status}`)
    }
    return { body: await readBounded(response, url, bounds.maximumBytes), headers: response.headers }
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    throw unreachable(url, signal.aborted ? 'it took too long, or was stopped' : 'no answer', cause)
  }
}

async function readBounded(response: Response, url: URL, maximumBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length
    if (length > maximumBytes) throw unreachable(url, `it sends more than ${maximumBytes} bytes`)
    parts.push(part)
  }
  return new Uint8Array(Buffer.concat(parts))
}

// The path names a chip or a family of platforms, which are no secrets.
function unreachable(url: URL, why: string, cause?: unknown): AgentError {
  return new AgentError('COLLATERAL_UNREACHABLE', `${url.origin}${url.pathname}: ${why}`, { cause })
}
