import { EngineError } from './errors.js'
import { AnswerFault } from './reply-values.js'

const maximumTreeDepth = 1000

/**
 * Reads a parser's tree as a child sends it.
 * @throws EngineError `QUERY_TOO_LARGE` where it is too deep; {@link AnswerFault} where it is none.
 */
export function readTree(value: unknown): unknown {
  if (typeof value !== 'string') throw new AnswerFault('tree')
  let depth = 0
  let quoted = false
  for (let i = 0; i < value.length; i++) {
    const char = value.charCodeAt(i)
    if (quoted) {
      if (char === 0x5c) i++
      else if (char === 0x22) quoted = false
    } else if (char === 0x22) quoted = true
    else if (char === 0x7b || char === 0x5b) depth++
    else if (char === 0x7d || char === 0x5d) depth--
    // Whoever walks the tree by recursion must not run out of stack.
    if (depth > maximumTreeDepth) throw new EngineError('QUERY_TOO_LARGE', "the query's tree is too deep")
  }
  try {
    return JSON.parse(value) as unknown
  } catch {
    throw new AnswerFault('tree')
  }
}
