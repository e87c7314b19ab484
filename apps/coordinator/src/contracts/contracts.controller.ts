import { Controller, Get, Param } from '@nestjs/common'
import { digestSchema, thumbprintSchema, type ContractView, type IdentityChainMessage } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import { From, Party, Serves, type Caller } from '../http/caller.js'
import { RunBook } from '../runs/run-book.js'
import { WorkerPool } from '../runs/worker-pool.js'
import { ContractBook } from './contract-book.js'
import { ContractViews } from './contract-view.js'

@Controller('v1')
export class ContractsController {
  constructor(
    private readonly contracts: ContractBook,
    private readonly views: ContractViews,
    private readonly workers: WorkerPool,
    private readonly runs: RunBook,
  ) {}

  @Get('contracts')
  list(@Party() party: string): object {
    return { contracts: this.views.listFor(party) }
  }

  @Serves('party', 'worker')
  @Get('contracts/:id')
  contract(@Param('id', { schema: digestSchema }) id: string, @From() caller: Caller): ContractView {
    if (caller.kind === 'party') return this.views.view(this.contracts.getFor(id, caller.thumbprint))
    const run =
      caller.kind === 'worker'
        ? this.runs.findLive(this.workers.find(caller.thumbprint)?.run ?? '')
        : undefined
    if (run?.run.contract !== id)
      throw new CoordinatorError('CONTRACT_UNKNOWN', `contract ${id} is not recorded here`)
    return this.views.view(this.contracts.get(id))
  }

  @Get('identities')
  identities(): object {
    return { identities: this.views.identityList() }
  }

  @Serves('party', 'worker')
  @Get('identities/:thumbprint')
  identity(@Param('thumbprint', { schema: thumbprintSchema }) thumbprint: string): IdentityChainMessage {
    return this.views.identity(thumbprint)
  }
}
