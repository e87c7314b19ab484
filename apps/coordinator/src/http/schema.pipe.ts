import { StandardSchemaValidationPipe } from '@nestjs/common'
import { CoordinatorError } from '../errors.js'

/** Checks bodies, paths and queries against the schema at their decorator. The message names fields, never their values. */
export function schemaPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: (issues) => {
      const places = issues.slice(0, 10).map((issue) => {
        const path = (issue.path ?? [])
          .map((part) => String(typeof part === 'object' ? part.key : part))
          .join('.')
        return `${path === '' ? '(message)' : path}: ${issue.message}`
      })
      return new CoordinatorError('REQUEST_MALFORMED', places.join('; '))
    },
  })
}
