import type { LoggerService } from '@nestjs/common'
import type { Config } from '../config.js'

const levels = ['silent', 'error', 'warn', 'info', 'debug'] as const

/** Writes what happens as JSON lines on standard error. Carries request ids, codes and digests, never bodies or tokens. */
export class JsonLines implements LoggerService {
  private readonly level: number

  constructor(level: Config['logLevel']) {
    this.level = levels.indexOf(level)
  }

  error = (message: unknown, ...rest: unknown[]): void => {
    this.write('error', message, rest)
  }
  warn = (message: unknown, ...rest: unknown[]): void => {
    this.write('warn', message, rest)
  }
  log = (message: unknown, ...rest: unknown[]): void => {
    this.write('info', message, rest)
  }
  debug = (message: unknown, ...rest: unknown[]): void => {
    this.write('debug', message, rest)
  }

  private write(level: (typeof levels)[number], message: unknown, rest: readonly unknown[]): void {
    if (levels.indexOf(level) > this.level) return
    const context = rest.filter((part) => typeof part === 'string')
    const fields = typeof message === 'object' && message !== null ? message : { message: String(message) }
    process.stderr.write(
      `${JSON.stringify({ time: new Date().toISOString(), level, context: context.at(-1), ...fields })}\n`,
    )
  }
}
