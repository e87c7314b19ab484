import { Controller, Get, Query } from '@nestjs/common'
import { z } from 'zod'
import { Party } from '../http/caller.js'
import { EventFeed } from './event-feed.js'

const cursorSchema = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,15})$/, 'expected a cursor')
  .transform(Number)

@Controller('v1/events')
export class EventsController {
  constructor(private readonly feed: EventFeed) {}

  @Get()
  after(@Query('after', { schema: cursorSchema }) after: number, @Party() party: string): Promise<object> {
    return this.feed.after(after, party)
  }
}
