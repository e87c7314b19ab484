import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { digestSchema, readinessSchema, runStates } from '#libs/protocol'
import { Clock } from '../clock.js'
import { ContractBook } from '../contracts/contract-book.js'
import { CoordinatorError } from '../errors.js'
import { Party } from '../http/caller.js'
import { goneSignal } from '../http/gone-signal.js'
import { waitSeconds } from '../http/query-schemas.js'
import { ChangeSignal } from '../ledger/change-signal.js'
import { LedgerStore } from '../storage/ledger-store.js'
import { RunBook, type RunEntry } from './run-book.js'
import { RunDriver, RunSettings } from './run-driver.js'
import { runViewText } from './run-view.js'

const runState = z.enum(runStates).optional()

@Controller('v1/runs')
export class RunsController {
  constructor(
    private readonly runs: RunBook,
    private readonly contracts: ContractBook,
    private readonly driver: RunDriver,
    private readonly store: LedgerStore,
    private readonly signal: ChangeSignal,
    private readonly settings: RunSettings,
    private readonly clock: Clock,
  ) {}

  @Get()
  async list(
    @Query('contract', { schema: digestSchema }) contract: string,
    @Party() party: string,
  ): Promise<object> {
    this.contracts.getFor(contract, party)
    const runs = await this.store.runsOfContract(contract)
    return {
      runs: runs.map(({ id, computation, state, requestedAt }) => ({
        id,
        contract,
        computation,
        state,
        requestedAt,
      })),
    }
  }

  /** The run; with `after` and `wait` as soon as it is in another state than that, or after that time. */
  @Get(':id')
  async run(
    @Param('id', { schema: digestSchema }) id: string,
    @Query('after', { schema: runState }) after: string | undefined,
    @Query('wait', { schema: waitSeconds.optional() }) wait: number | undefined,
    @Party() party: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const entry = await this.runFor(id, party)
    const until = this.clock.now() + Math.min(wait ?? 0, this.settings.maximumWaitSeconds) * 1000
    const gone = goneSignal(reply)
    while (entry.run.state === after && !gone.aborted && !this.signal.isClosed) {
      const left = until - this.clock.now()
      if (left <= 0) break
      await this.signal.wait(`run ${id}`, left, gone)
    }
    await reply.type('application/json').send(runViewText(entry, this.clock.now()))
  }

  @Post('readiness')
  @HttpCode(200)
  async readiness(
    @Body({ schema: readinessSchema }) answer: z.infer<typeof readinessSchema>,
    @Party() owner: string,
  ): Promise<object> {
    const { run } = await this.runFor(answer.run, owner)
    if (!run.record.terms.owners.includes(owner))
      throw new CoordinatorError('NOT_ENTITLED', `${owner} owns no input of run ${run.id}`)
    // An answer that comes after the run's end changes nothing and is no fault of the one who gives it.
    if (!run.ended)
      await this.driver.happen(run.id, {
        kind: 'answered',
        owner,
        answer: answer.state,
        reason: answer.reason,
      })
    return {}
  }

  @Post(':id/cancel')
  @HttpCode(200)
  async cancel(@Param('id', { schema: digestSchema }) id: string, @Party() party: string): Promise<object> {
    const { run } = await this.runFor(id, party)
    if (run.requester !== party)
      throw new CoordinatorError(
        'NOT_ENTITLED',
        `run ${id} was requested by ${run.requester}; only the requester cancels it`,
      )
    if (run.state !== 'cancelled') await this.driver.happen(id, { kind: 'cancelled' })
    return {}
  }

  /** A run, for a party of its contract; to anyone else it is as if there were none. */
  private async runFor(id: string, party: string): Promise<RunEntry> {
    const entry = await this.runs.find(id)
    if (entry === undefined || !this.contracts.isPartyOf(party, entry.run.contract))
      throw new CoordinatorError('RUN_UNKNOWN', `run ${id} is not recorded here`)
    return entry
  }
}
