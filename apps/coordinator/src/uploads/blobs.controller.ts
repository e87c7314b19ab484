import { Controller, Get, Headers, Param, Res } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { digestSchema } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import { From, Serves, type Caller } from '../http/caller.js'
import { BlobFolder } from '../storage/blob-folder.js'
import { BlobAccess } from './blob-access.js'

/** Ciphertext by digest, whole or in one range. */
@Serves('party', 'worker')
@Controller('v1/blobs')
export class BlobsController {
  constructor(
    private readonly access: BlobAccess,
    private readonly blobs: BlobFolder,
  ) {}

  @Get(':digest')
  async read(
    @Param('digest', { schema: digestSchema }) digest: string,
    @Headers('range') range: string | undefined,
    @From() caller: Caller,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.access.expectReadable(digest, caller)
    const size = await this.blobs.size(digest)
    if (size === null) throw new CoordinatorError('BLOB_UNKNOWN', `blob ${digest} is not here`)
    const { start, end } = parseRange(range, size)
    void reply
      .status(range === undefined ? 200 : 206)
      .type('application/octet-stream')
      .header('accept-ranges', 'bytes')
      .header('cache-control', 'no-store')
      .header('content-length', String(end - start + 1))
    if (range !== undefined) void reply.header('content-range', `bytes ${start}-${end}/${size}`)
    await reply.send(this.blobs.read(digest, start, end))
  }
}

/**
 * One range of RFC 9110 §14.1.2 with a first byte; several ranges, and those counted from the end, nobody needs here.
 * @throws CoordinatorError `RANGE_INVALID`.
 */
export function parseRange(
  range: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } {
  if (range === undefined) return { start: 0, end: size - 1 }
  const [, from, to] = /^bytes=(0|[1-9]\d{0,15})-(0|[1-9]\d{0,15})?$/.exec(range) ?? []
  const start = Number(from)
  const end = to === undefined ? size - 1 : Math.min(Number(to), size - 1)
  if (from === undefined || start >= size || end < start)
    throw new CoordinatorError(
      'RANGE_INVALID',
      `the range is not one of a blob of ${size} bytes; expected bytes=first-last`,
    )
  return { start, end }
}
