/**
 * YAML 1.2 core into plain values, with the place of every field. Refuses everything by which the text could say something
 * else than it shows: anchors, aliases, merge keys, tags, directives, repeated keys, several documents, numbers that a double
 * does not hold. Guards against size and depth; says nothing about what the fields mean.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type Scalar } from 'yaml'
import { maximumDepth, utf8 } from '#libs/canonical'
import { ContractError } from '../errors.js'
import { canonicalDecimalOf, WrittenDecimal } from '../terms/quantities.js'
import type { Mistake, Place } from './problem.js'

/** Larger texts are refused before they are parsed. */
export const maximumYamlBytes = 256 * 1024

const maximumYamlDepth = Math.min(24, maximumDepth)

/** What a YAML text says, and where. `mistakes` holds what is not allowed in it. */
export interface YamlText {
  readonly value: unknown
  readonly mistakes: readonly Mistake[]
  readonly placeOf: (path: readonly (string | number)[], at?: 'key') => Place
}

/**
 * Reads a YAML text.
 * @throws ContractError `YAML_TOO_LARGE`, `YAML_MALFORMED`.
 */
export function readYaml(text: string): YamlText {
  const length = text.length > maximumYamlBytes ? text.length : utf8(text).length
  if (length > maximumYamlBytes)
    throw new ContractError(
      'YAML_TOO_LARGE',
      `a contract has at most ${maximumYamlBytes} bytes; this text has ${length}`,
    )
  refuseDeepNesting(text)
  const lines = new LineCounter()
  const document = parseSafely(text, lines)
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const reader = new NodeReader(place)
  if (/^%/m.test(text.slice(0, document.contents?.range[0] ?? text.length)))
    reader.mistakes.push(forbidden([], 'a YAML directive', 'Remove the line that begins with %.'))
  const value = reader.read(document.contents, [], 0)
  return { value, mistakes: reader.mistakes, placeOf: (path, at) => reader.placeOf(path, at) }
}

type Path = readonly (string | number)[]

class NodeReader {
  readonly mistakes: Mistake[] = []
  private readonly values = new Map<string, Place>()
  private readonly keys = new Map<string, Place>()

  constructor(private readonly place: (offset: number) => Place) {}

  /** The place of a field, or of the nearest one around it that the text holds. */
  placeOf(path: Path, at?: 'key'): Place {
    for (let length = path.length; length >= 0; length--) {
      const id = identifier(path.slice(0, length))
      const own = length === path.length && at === 'key' ? this.keys.get(id) : undefined
      // A field around the missing one is shown by its name: its value may begin lines below.
      const found = own ?? (length < path.length ? this.keys.get(id) : undefined) ?? this.values.get(id)
      if (found !== undefined) return found
    }
    return { line: 1, column: 1 }
  }

  read(node: Node | null, path: Path, depth: number): unknown {
    if (node === null) return null
    if (node.range) this.values.set(identifier(path), this.place(node.range[0]))
    if (isAlias(node)) return this.refuse(path, 'an alias', 'Write the value out where it is used.')
    if ('anchor' in node && node.anchor !== undefined)
      this.refuse(path, 'an anchor', 'Remove the & and its name.')
    if (hasTag(node)) this.refuse(path, 'a tag', 'Remove the tag; the field says what type it has.')
    if (depth > maximumYamlDepth)
      return this.refuse(path, `more than ${maximumYamlDepth} levels`, 'Flatten it.')
    if (isMap(node))
      return this.readMap(node.items as readonly { key: Node | null; value: Node | null }[], path, depth)
    if (isSeq(node))
      return (node.items as readonly (Node | null)[]).map((item, i) =>
        this.read(item, [...path, i], depth + 1),
      )
    return isScalar(node)
      ? this.readScalar(node, path)
      : this.refuse(path, 'an unknown node', 'Write plain YAML.')
  }

  private readMap(
    items: readonly { key: Node | null; value: Node | null }[],
    path: Path,
    depth: number,
  ): unknown {
    // No prototype: a field named like a member of every object is a field and nothing else.
    const map = Object.create(null) as Record<string, unknown>
    for (const { key, value } of items) {
      if (!isScalar(key) || typeof key.value !== 'string' || hasTag(key) || key.anchor !== undefined) {
        this.refuse(path, 'a field name that is not plain text', 'Put the name in quotes.')
        continue
      }
      const name = key.value
      const own = [...path, name]
      if (name in map) {
        this.mistakes.push({
          path: own,
          at: 'key',
          expected: 'each field once',
          seen: 'the same field twice',
          mend: 'Keep one of them.',
        })
        continue
      }
      if (key.range) this.keys.set(identifier(own), this.place(key.range[0]))
      if (name === '<<') this.refuse(own, 'a merge key', 'Write the fields out.')
      // Schemas skip this name in silence; here it is told.
      else if (name === '__proto__') this.refuse(own, 'the name __proto__', 'Rename it.')
      else map[name] = this.read(value, own, depth + 1)
    }
    return map
  }

  private readScalar(node: Scalar, path: Path): unknown {
    const value = node.value
    if (typeof value === 'bigint' || typeof value === 'number') return this.readNumber(node, path)
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
    return this.refuse(path, 'a value that JSON cannot hold', 'Write text, a number, true or false.')
  }

  private readNumber(node: Scalar, path: Path): unknown {
    const source = node.source ?? String(node.value)
    const decimal = canonicalDecimalOf(source)
    if (decimal === null)
      return this.refuse(
        path,
        'a number in another notation than plain decimal digits',
        'Write it as digits with at most one point, like 12 or 0.05; put it in quotes where it is text.',
      )
    // A number with a point stays what was written: no double comes between.
    if (source.includes('.')) return new WrittenDecimal(source)
    const whole = Number(decimal)
    if (Number.isSafeInteger(whole)) return whole
    return this.refuse(path, 'a whole number beyond 9007199254740991', 'Write a smaller number.')
  }

  private refuse(path: Path, seen: string, mend: string): null {
    this.mistakes.push(forbidden(path, seen, mend))
    return null
  }
}

function forbidden(path: Path, seen: string, mend: string): Mistake {
  return { path, expected: 'plain YAML without anchors, aliases, merge keys, tags or directives', seen, mend }
}

function hasTag(node: Node): boolean {
  return node.tag !== undefined
}

function identifier(path: Path): string {
  return JSON.stringify(path)
}

// The parser recurses per level; a text of brackets alone would exhaust its stack.
function refuseDeepNesting(text: string): void {
  let depth = 0
  for (const character of text) {
    if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1)
    if (depth > 500) throw new ContractError('YAML_MALFORMED', 'more than 500 brackets stand open at once')
  }
}

function parseSafely(text: string, lineCounter: LineCounter) {
  try {
    const document = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      strict: true,
      // Ours reports them with their path, and in linear time.
      uniqueKeys: false,
      prettyErrors: false,
      intAsBigInt: true,
      keepSourceTokens: false,
      lineCounter,
    })
    const [error] = [...document.errors, ...document.warnings]
    if (error === undefined) return document
    const { line, col } = lineCounter.linePos(error.pos[0])
    throw new ContractError('YAML_MALFORMED', `line ${line}, column ${col}: ${yamlFault(error.code)}`)
  } catch (cause) {
    if (cause instanceof ContractError) throw cause
    throw new ContractError('YAML_MALFORMED', 'the text is not YAML', { cause })
  }
}

// The parser's own messages quote the text; a code does not.
function yamlFault(code: string): string {
  return code === 'MULTIPLE_DOCS'
    ? 'a contract is one YAML document; remove the second'
    : `not YAML (${code.toLowerCase().replaceAll('_', ' ')})`
}
