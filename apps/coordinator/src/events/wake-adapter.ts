/** The WebSocket's upgrade goes through the same check as every request: a signed token for GET and this path, used once. */
import type { IncomingMessage } from 'node:http'
import { WsAdapter } from '@nestjs/platform-ws'
import type { INestApplicationContext } from '@nestjs/common'
import type { Thumbprint } from '#libs/canonical'
import type { Authenticator } from '../http/authenticate.js'
import { wakeParty } from './wake.gateway.js'

/** A client has nothing to say here. */
const maximumPayloadBytes = 1024

type Verified = (accepted: boolean, code?: number, message?: string) => void

export class WakeAdapter extends WsAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly authenticator: Authenticator,
  ) {
    super(app)
  }

  override create(port: number, options?: Record<string, unknown>): unknown {
    const verifyClient = (
      { req }: { req: IncomingMessage & { [wakeParty]?: Thumbprint } },
      done: Verified,
    ) => {
      this.partyOf(req).then(
        (party) => {
          if (party !== null) req[wakeParty] = party
          done(party !== null, 401, 'Unauthorized')
        },
        () => {
          done(false, 401, 'Unauthorized')
        },
      )
    }
    return super.create(port, {
      ...options,
      verifyClient,
      maxPayload: maximumPayloadBytes,
      perMessageDeflate: false,
    }) as unknown
  }

  private async partyOf(request: IncomingMessage): Promise<Thumbprint | null> {
    const { caller } = await this.authenticator.authenticate({
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization,
      hasBody: false,
      body: () => undefined,
      upload: null,
    })
    return caller.kind === 'party' ? caller.thumbprint : null
  }
}
