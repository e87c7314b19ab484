import { Controller, Get, Res } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { Serves } from '../http/caller.js'
import { openApiDocument } from './openapi.js'

@Serves('anyone')
@Controller('openapi.json')
export class OpenApiController {
  private text: string | null = null

  @Get()
  async document(@Res() reply: FastifyReply): Promise<void> {
    this.text ??= JSON.stringify(openApiDocument())
    await reply.type('application/json').send(this.text)
  }
}
