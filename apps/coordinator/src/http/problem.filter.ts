import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { CodedError } from '#libs/canonical'
import type { Problem } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import { problemTable, type PublicErrorCode } from './problem-table.js'

/** Turns every error into problem details (RFC 9457). What is not an expected failure becomes 500 and says nothing. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http')

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp()
    const request = http.getRequest<FastifyRequest>()
    const problem = problemOf(error, request.id)
    if (problem.status >= 500) this.logger.error({ requestId: request.id, error: describe(error) })
    sendProblem(http.getResponse<FastifyReply>(), problem)
  }
}

export function sendProblem(reply: FastifyReply, problem: Problem): void {
  if (problem.status === 401) void reply.header('www-authenticate', 'Sealroom')
  if (problem.status === 429) void reply.header('retry-after', '1')
  void reply.status(problem.status).type('application/problem+json').send(problem)
}

/** The problem details of an error. */
export function problemOf(error: unknown, requestId: string): Problem {
  const code = publicCode(error)
  if (code !== null) {
    const refusals =
      error instanceof CoordinatorError && error.refusals.length > 0
        ? { refusals: error.refusals.map((reason) => ({ ...reason })) }
        : {}
    return {
      type: 'about:blank',
      ...problemTable[code],
      code,
      detail: (error as Error).message,
      requestId,
      ...refusals,
    }
  }
  const framework = frameworkProblem(error)
  if (framework !== null) return { type: 'about:blank', ...framework, requestId }
  return {
    type: 'about:blank',
    title: 'The server failed',
    status: 500,
    code: 'INTERNAL',
    detail: 'the server failed; its log names this request',
    requestId,
  }
}

function publicCode(error: unknown): PublicErrorCode | null {
  const code: unknown = error instanceof CodedError ? error.code : undefined
  return typeof code === 'string' && Object.hasOwn(problemTable, code) ? (code as PublicErrorCode) : null
}

// Fastify and Nest refuse junk before any code of ours sees it; only their status is told, never their text.
function frameworkProblem(error: unknown): Pick<Problem, 'title' | 'status' | 'code' | 'detail'> | null {
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error)
  if (status === 404)
    return { ...problemTable.ROUTE_UNKNOWN, code: 'ROUTE_UNKNOWN', detail: 'there is nothing at this path' }
  if (status === 413)
    return {
      ...problemTable.REQUEST_TOO_LARGE,
      code: 'REQUEST_TOO_LARGE',
      detail: 'the body is larger than this path takes',
    }
  if (status !== null && status >= 400 && status < 500)
    return {
      ...problemTable.REQUEST_MALFORMED,
      status,
      code: 'REQUEST_MALFORMED',
      detail: 'the request is not one that this path takes',
    }
  return null
}

function statusOf(error: unknown): number | null {
  const status =
    typeof error === 'object' && error !== null ? (error as { statusCode?: unknown }).statusCode : undefined
  return typeof status === 'number' ? status : null
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : 'not an Error'
}
