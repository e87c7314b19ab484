import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import { digestSchema, registerWorkerSchema, workerEndSchema } from '#libs/protocol'
import { From, Serves, Worker, type Caller } from '../http/caller.js'
import { goneSignal } from '../http/gone-signal.js'
import { waitSeconds, wholeNumber } from '../http/query-schemas.js'
import { WorkerDesk } from './worker-desk.js'

@Serves('worker')
@Controller('v1/workers')
export class WorkersController {
  constructor(private readonly desk: WorkerDesk) {}

  @Serves('worker', 'newcomer')
  @Post()
  @HttpCode(200)
  async register(
    @Body({ schema: registerWorkerSchema }) registration: z.infer<typeof registerWorkerSchema>,
    @From() caller: Caller,
  ): Promise<object> {
    await this.desk.register(registration, caller)
    return {}
  }

  @Get('assignment')
  async assignment(
    @Query('wait', { schema: waitSeconds }) wait: number,
    @Worker() worker: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await answer(reply, await this.desk.assignment(worker, wait, goneSignal(reply)))
  }

  @Get('runs/:id')
  async run(
    @Param('id', { schema: digestSchema }) id: string,
    @Query('version', { schema: wholeNumber }) after: number,
    @Query('wait', { schema: waitSeconds }) wait: number,
    @Worker() worker: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await answer(reply, await this.desk.run(worker, id, after, wait, goneSignal(reply)))
  }

  @Post('runs/:id/end')
  @HttpCode(200)
  async end(
    @Param('id', { schema: digestSchema }) id: string,
    @Body({ schema: workerEndSchema }) end: z.infer<typeof workerEndSchema>,
    @Worker() worker: string,
  ): Promise<object> {
    await this.desk.end(worker, id, end)
    return {}
  }
}

async function answer(reply: FastifyReply, text: string | null): Promise<void> {
  if (text === null) await reply.status(204).send()
  else await reply.type('application/json').send(text)
}
