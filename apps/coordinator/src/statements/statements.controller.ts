import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common'
import { digestSchema, postStatementSchema, type Recorded, type RecordedStatement } from '#libs/protocol'
import type { z } from 'zod'
import { From, Serves, type Caller } from '../http/caller.js'
import { RecordStatement } from './record-statement.js'
import { StatementReader } from './statement-reader.js'

@Controller('v1/statements')
export class StatementsController {
  constructor(
    private readonly recorder: RecordStatement,
    private readonly reader: StatementReader,
  ) {}

  @Serves('party', 'worker', 'newcomer')
  @Post()
  @HttpCode(200)
  record(
    @Body({ schema: postStatementSchema }) message: z.infer<typeof postStatementSchema>,
    @From() caller: Caller,
  ): Promise<Recorded> {
    return this.recorder.record(message, caller)
  }

  @Serves('party', 'worker')
  @Get(':digest')
  read(
    @Param('digest', { schema: digestSchema }) digest: string,
    @From() caller: Caller,
  ): Promise<RecordedStatement> {
    return this.reader.read(digest, caller)
  }
}
