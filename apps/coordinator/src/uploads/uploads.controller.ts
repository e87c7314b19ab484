/** Resumable uploads by tus 1.0. The part is here in full and is the one that the token signed before tus sees it. */
import { Controller, Head, HttpCode, Param, Patch, Post, Req, Res } from '@nestjs/common'
import { Server } from '@tus/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Thumbprint } from '#libs/canonical'
import { digestSchema, routes } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import { From, Serves, type Caller } from '../http/caller.js'
import { WorkerPool } from '../runs/worker-pool.js'
import { uploadId, UploadSettings, UploadStore } from './upload-store.js'

@Serves('party', 'worker')
@Controller('v1/uploads')
export class UploadsController {
  private readonly tus: Server
  private readonly parties = new WeakMap<object, Thumbprint>()
  private readonly failures = new WeakMap<object, unknown>()

  constructor(
    store: UploadStore,
    settings: UploadSettings,
    private readonly workers: WorkerPool,
  ) {
    store.runOf = (party) => this.workers.find(party)?.run ?? null
    this.tus = new Server({
      path: routes.uploads,
      datastore: store,
      maxSize: settings.uploadBytesMaximum,
      relativeLocation: true,
      allowedOrigins: () => false,
      namingFunction: (request, metadata) =>
        uploadId(expectDigest(metadata?.['digest']), this.partyOf(request)),
      getFileIdFromRequest: (request, last) => uploadId(expectDigest(last), this.partyOf(request)),
      generateUrl: (_request, { path, id }) => `${path}/${id.slice(0, 64)}`,
      onResponseError: (request, error) => {
        this.failures.set(request, error)
        return undefined
      },
    })
  }

  @Post()
  create(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @From() caller: Caller): Promise<void> {
    return this.handle(request, reply, caller)
  }

  @Patch(':digest')
  @HttpCode(204)
  append(
    @Param('digest') _digest: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @From() caller: Caller,
  ): Promise<void> {
    return this.handle(request, reply, caller)
  }

  @Head(':digest')
  offset(
    @Param('digest') _digest: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @From() caller: Caller,
  ): Promise<void> {
    return this.handle(request, reply, caller)
  }

  private async handle(request: FastifyRequest, reply: FastifyReply, caller: Caller): Promise<void> {
    const party = this.uploader(caller)
    const body = request.method === 'PATCH' ? (request.rawBody ?? new Uint8Array()) : undefined
    const message = new Request(`http://upload.invalid${request.url}`, {
      method: request.method,
      headers: tusHeaders(request),
      ...(body === undefined ? {} : { body }),
    })
    this.parties.set(message, party)
    const answer = await this.tus.handleWeb(message)
    const failure = this.failures.get(message)
    if (failure !== undefined) throw problemOfTus(failure)
    if (answer.status >= 400)
      throw new CoordinatorError('REQUEST_MALFORMED', `the upload request is not tus 1.0 (${answer.status})`)
    for (const [name, value] of answer.headers)
      if (!name.startsWith('access-control-')) void reply.header(name, value)
    await reply.status(answer.status).send()
  }

  // Outputs are uploaded while the run is running; before that a worker has nothing to bring.
  private uploader(caller: Caller): Thumbprint {
    if (caller.kind === 'party') return caller.thumbprint
    if (caller.kind !== 'worker' || this.workers.find(caller.thumbprint)?.state !== 'reserved')
      throw new CoordinatorError(
        'NOT_ENTITLED',
        'uploads are for parties, and for a worker that a run reserved',
      )
    return caller.thumbprint
  }

  private partyOf(request: object): Thumbprint {
    const party = this.parties.get(request)
    if (party === undefined) throw new CoordinatorError('NOT_ENTITLED', 'an upload without a caller')
    return party
  }
}

function tusHeaders(request: FastifyRequest): Headers {
  const headers = new Headers()
  for (const name of [
    'tus-resumable',
    'upload-length',
    'upload-offset',
    'upload-metadata',
    'content-type',
    'content-length',
  ]) {
    const value = request.headers[name]
    if (typeof value === 'string') headers.set(name, value)
  }
  return headers
}

function expectDigest(value: string | null | undefined): string {
  const digest = digestSchema.safeParse(value)
  if (!digest.success)
    throw new CoordinatorError(
      'REQUEST_MALFORMED',
      'an upload is named by the digest of its bytes: 64 lower-case hexadecimal characters',
    )
  return digest.data
}

// tus throws plain objects with a status; ours are thrown through it unchanged.
function problemOfTus(failure: unknown): unknown {
  if (failure instanceof CoordinatorError) return failure
  const status =
    typeof failure === 'object' && failure !== null
      ? (failure as { status_code?: unknown }).status_code
      : undefined
  if (status === 404 || status === 410)
    return new CoordinatorError('UPLOAD_UNKNOWN', 'there is no such upload of this party')
  if (status === 409)
    return new CoordinatorError(
      'UPLOAD_OFFSET',
      'the upload stands at another offset; ask for it and go on from there',
    )
  if (status === 413)
    return new CoordinatorError('UPLOAD_OFFSET', 'the part reaches beyond the end of the upload')
  return typeof status === 'number' && status < 500
    ? new CoordinatorError('REQUEST_MALFORMED', 'the upload request is not as tus 1.0 wants it')
    : failure
}
