import { Controller, Get, Res } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { Serves } from '../http/caller.js'
import { Ledger } from '../ledger/ledger.js'
import { LedgerStore } from '../storage/ledger-store.js'

/** For whoever runs this: `live` says that the process answers, `ready` that it can record. */
@Serves('anyone')
@Controller('health')
export class HealthController {
  constructor(
    private readonly store: LedgerStore,
    private readonly ledger: Ledger,
  ) {}

  @Get('live')
  live(): object {
    return { status: 'ok' }
  }

  @Get('ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const database = await this.store.ping().then(
      () => true,
      () => false,
    )
    const ready = database && this.ledger.isSound
    await reply
      .status(ready ? 200 : 503)
      .send({ status: ready ? 'ok' : 'failing', database, ledger: this.ledger.isSound })
  }
}
