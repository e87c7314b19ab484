import { ClientError } from './errors.js'

/**
 * The coordinator's address, refused where it would carry messages in the clear over a network.
 * @throws ClientError `URL_INSECURE`.
 */
export function secureUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new ClientError('URL_INSECURE', `${text} is not an http or https address`)
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw new ClientError(
      'URL_INSECURE',
      `${url.origin} is plain HTTP off loopback; expected https://, or a loopback address`,
    )
  return url
}

/** Whether a host name can only be this machine. `localhost` is not resolved by DNS (RFC 6761 §6.3). */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
}
