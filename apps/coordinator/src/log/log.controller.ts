import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common'
import type { z } from 'zod'
import {
  cosignRequestSchema,
  digestSchema,
  postCosignatureSchema,
  type CheckpointMessage,
  type LogInfo,
} from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import { wholeNumber } from '../http/query-schemas.js'
import { From, Party, Serves, type Caller } from '../http/caller.js'
import { Checkpoints } from './checkpoints.js'
import { LogSettings, PublicLog } from './public-log.js'
import { RecordCosignature } from './record-cosignature.js'

/** Leaves in one answer. */
const pageLeaves = 1000

@Serves('party', 'worker')
@Controller('v1/log')
export class LogController {
  constructor(
    private readonly log: PublicLog,
    private readonly settings: LogSettings,
    private readonly checkpoints: Checkpoints,
    private readonly cosignatures: RecordCosignature,
  ) {}

  @Serves('anyone')
  @Get()
  info(): LogInfo {
    const { origin, logKey, coordinatorKey } = this.settings
    return { origin, logKey: logKey.publicKey, coordinatorKey: coordinatorKey.publicKey, size: this.log.size }
  }

  /** Anyone may follow the log; who cosigns it, by their keys, is for those who signed in. */
  @Serves('anyone')
  @Get('checkpoint')
  checkpoint(
    @Query('run', { schema: digestSchema.optional() }) run: string | undefined,
    @Query('size', { schema: wholeNumber.optional() }) size: number | undefined,
    @From() caller: Caller,
  ): Promise<CheckpointMessage> {
    if (caller.kind === 'anyone') return this.checkpoints.bare(size)
    if (size !== undefined) return this.checkpoints.at(size)
    return run === undefined ? this.checkpoints.forCaller(caller) : this.checkpoints.ofRun(run, caller)
  }

  /** Every checkpoint that was cosigned, page by page: what an audit needs and no run waits for any more. */
  @Get('cosigned')
  async cosigned(
    @Query('after', { schema: wholeNumber }) after: number,
  ): Promise<{ checkpoints: readonly CheckpointMessage[] }> {
    return { checkpoints: await this.checkpoints.cosignedAfter(after) }
  }

  @Serves('anyone')
  @Get('leaves')
  leaves(
    @Query('from', { schema: wholeNumber }) from: number,
    @Query('to', { schema: wholeNumber }) to: number,
  ): { from: number; leaves: readonly string[] } {
    if (from > to)
      throw new CoordinatorError(
        'REQUEST_MALFORMED',
        `leaves from ${from} to ${to}: expected from at most to`,
      )
    return { from, leaves: this.log.leavesBetween(from, Math.min(to, from + pageLeaves)) }
  }

  @Serves('anyone')
  @Get('inclusion')
  inclusion(
    @Query('digest', { schema: digestSchema }) digest: string,
    @Query('size', { schema: wholeNumber }) size: number,
  ): { index: number; size: number; proof: string[] } {
    return { size, ...this.log.inclusion(digest, size) }
  }

  @Serves('anyone')
  @Get('consistency')
  consistency(
    @Query('from', { schema: wholeNumber }) from: number,
    @Query('to', { schema: wholeNumber }) to: number,
  ): { from: number; to: number; proof: string[] } {
    return { from, to, proof: this.log.consistency(from, to) }
  }

  @Serves('party')
  @Post('cosignatures')
  @HttpCode(200)
  async cosign(
    @Body({ schema: postCosignatureSchema }) posted: z.infer<typeof postCosignatureSchema>,
    @Party() party: string,
  ): Promise<object> {
    await this.cosignatures.record(posted, party)
    return {}
  }

  @Serves('party')
  @Post('cosign-requests')
  @HttpCode(200)
  async requestCosignatures(
    @Body({ schema: cosignRequestSchema }) { contract }: z.infer<typeof cosignRequestSchema>,
    @Party() party: string,
  ): Promise<object> {
    await this.cosignatures.request(contract, party)
    return {}
  }
}
