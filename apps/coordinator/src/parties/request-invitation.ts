import { invitationSchema, problemSchema, routes } from '#libs/protocol'
import { isLoopbackAddress } from '../config.js'
import { StartError } from '../errors.js'

/**
 * Asks a running server for an invitation.
 * @throws StartError `PLAIN_HTTP_OFF_LOOPBACK`, `SERVER_UNREACHABLE`, `SERVER_REFUSED`.
 */
export async function requestInvitation(options: {
  readonly url: string
  readonly token: string
  readonly label: string
  readonly validHours: number
}): Promise<{ readonly invitation: string; readonly expiresAt: string }> {
  const { url, token, label, validHours } = options
  const base = URL.canParse(url) ? new URL(url) : null
  if (
    base === null ||
    (base.protocol !== 'https:' &&
      !(base.protocol === 'http:' && isLoopbackAddress(base.hostname.replaceAll(/[[\]]/g, ''))))
  )
    throw new StartError(
      'PLAIN_HTTP_OFF_LOOPBACK',
      `${url} would carry the operator's token in the clear; expected https://, or a loopback address`,
    )
  const answer = await ask(new URL(routes.invitations, base), token, { label, validHours })
  const parsed = invitationSchema.safeParse(answer)
  if (!parsed.success)
    throw new StartError('SERVER_REFUSED', 'the answer is not an invitation; is this the coordinator?')
  return parsed.data
}

async function ask(url: URL, token: string, message: object): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(message),
      redirect: 'error',
    })
  } catch (cause) {
    throw new StartError('SERVER_UNREACHABLE', `${url.origin} does not answer; is the server running?`, {
      cause,
    })
  }
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok) return answer
  const problem = problemSchema.safeParse(answer)
  throw new StartError(
    'SERVER_REFUSED',
    problem.success ? problem.data.detail : `${url.origin} answered ${response.status}`,
  )
}
