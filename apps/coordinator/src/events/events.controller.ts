import { Controller, Get, Query } from '@nestjs/common'
import { Party } from '../http/caller.js'
import { wholeNumber } from '../http/query-schemas.js'
import { EventFeed } from './event-feed.js'

@Controller('v1/events')
export class EventsController {
  constructor(private readonly feed: EventFeed) {}

  @Get()
  after(@Query('after', { schema: wholeNumber }) after: number, @Party() party: string): Promise<object> {
    return this.feed.after(after, party)
  }
}
