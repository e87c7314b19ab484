/**
 * A strict reader of the XML that signed manifests use (XML 1.0, Namespaces 1.0): elements, attributes and text in UTF-8.
 * Refused are document types, entities beyond the five, processing instructions, comments, CDATA sections, undeclared prefixes,
 * anything twice, and more than bounded size and depth.
 */
import { CodedError, fromUtf8 } from '#libs/canonical'
import { AttestationError } from '../errors.js'

/** A name with what its prefix stands for. */
export interface XmlName {
  readonly prefix: string
  readonly local: string
  /** Empty: none. */
  readonly namespace: string
}

/** An attribute with its value after normalisation. */
export interface XmlAttribute extends XmlName {
  readonly value: string
}

/** An element and what is in it. */
export interface XmlElement extends XmlName {
  readonly attributes: readonly XmlAttribute[]
  /** What the element itself declares, by prefix; empty prefix: the default. */
  readonly declarations: ReadonlyMap<string, string>
  readonly children: readonly (XmlElement | string)[]
}

const maximumLength = 4 * 1024 * 1024
const maximumDepth = 32
const maximumElements = 65_536
/** What the prefix `xml` stands for without a declaration. */
export const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'

/**
 * Reads a document: its one element.
 * @throws AttestationError `MALFORMED`; `TRAILING_DATA` for anything but white space after it.
 */
export function parseXml(bytes: Uint8Array, what: string): XmlElement {
  if (bytes.length > maximumLength)
    throw malformed(what, `it has ${bytes.length} bytes; at most ${maximumLength}`)
  return new XmlReader(textOf(bytes, what), what).document()
}

function textOf(bytes: Uint8Array, what: string): string {
  try {
    // XML 1.0 §2.11: one spelling of a line's end.
    const text = fromUtf8(bytes).replace(/\r\n?/g, '\n')
    return text.startsWith('\ufeff') ? text.slice(1) : text
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw malformed(what, 'it is not UTF-8', cause)
  }
}

type Scope = ReadonlyMap<string, string>

// ASCII names are all that manifests have.
const namePattern = /[A-Za-z_][A-Za-z0-9._-]*(?::[A-Za-z_][A-Za-z0-9._-]*)?/y
const whitePattern = /[ \t\n]*/y
const valuePattern = /"[^"<]*"|'[^'<]*'/y
const declarationPattern =
  /<\?xml[ \t\n]+version=(?:"1\.0"|'1\.0')(?:[ \t\n]+encoding=(?:"[Uu][Tt][Ff]-8"|'[Uu][Tt][Ff]-8'))?(?:[ \t\n]+standalone=(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>/y
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

class XmlReader {
  readonly #text: string
  readonly #what: string
  #at = 0
  #elements = 0

  constructor(text: string, what: string) {
    this.#text = text
    this.#what = what
  }

  document(): XmlElement {
    this.#match(declarationPattern)
    this.#match(whitePattern)
    const root = this.#element(new Map([['xml', xmlNamespace]]), 0)
    this.#match(whitePattern)
    if (this.#at < this.#text.length)
      throw new AttestationError('TRAILING_DATA', `${this.#what}: something follows its element`, {
        stage: 'parse',
        field: 'length',
      })
    return root
  }

  #element(outer: Scope, depth: number): XmlElement {
    if (depth >= maximumDepth) throw this.#malformed(`more than ${maximumDepth} levels`)
    if (++this.#elements > maximumElements) throw this.#malformed(`more than ${maximumElements} elements`)
    this.#expect('<')
    const tag = this.#name()
    const { raw, isEmpty } = this.#attributes()
    const declarations = this.#declarations(raw)
    const scope = declarations.size === 0 ? outer : new Map([...outer, ...declarations])
    const attributes = raw
      .filter(({ name }) => !isDeclaration(name))
      .map(({ name, value }) => ({ ...this.#resolve(name, scope, ''), value }))
    const seen = new Set(attributes.map(({ namespace, local }) => `${namespace}\n${local}`))
    if (seen.size < attributes.length) throw this.#malformed('an attribute comes twice')
    const children = isEmpty ? [] : this.#content(tag, scope, depth)
    return { ...this.#resolve(tag, scope, scope.get('') ?? ''), attributes, declarations, children }
  }

  #attributes(): { raw: { name: string; value: string }[]; isEmpty: boolean } {
    const raw = []
    for (;;) {
      const space = this.#match(whitePattern)
      if (this.#skip('/>')) return { raw, isEmpty: true }
      if (this.#skip('>')) return { raw, isEmpty: false }
      if (space === '') throw this.#malformed('attributes without white space between them')
      const name = this.#name()
      this.#match(whitePattern)
      this.#expect('=')
      this.#match(whitePattern)
      const quoted = this.#match(valuePattern)
      if (quoted === '') throw this.#malformed('an attribute without a value')
      // XML 1.0 §3.3.3: white space becomes a space, unless it is a reference.
      raw.push({ name, value: this.#references(quoted.slice(1, -1).replace(/[\t\n]/g, ' ')) })
    }
  }

  #declarations(raw: readonly { name: string; value: string }[]): Scope {
    const declarations = new Map<string, string>()
    for (const { name, value } of raw) {
      if (!isDeclaration(name)) continue
      const prefix = name === 'xmlns' ? '' : name.slice('xmlns:'.length)
      const isReserved =
        prefix === 'xml' || prefix === 'xmlns' || value === xmlNamespace || value === xmlnsNamespace
      if (isReserved || declarations.has(prefix) || (prefix !== '' && value === ''))
        throw this.#malformed('a namespace that may not be declared, or is twice')
      declarations.set(prefix, value)
    }
    return declarations
  }

  #content(tag: string, scope: Scope, depth: number): (XmlElement | string)[] {
    const children: (XmlElement | string)[] = []
    for (;;) {
      const next = this.#text.indexOf('<', this.#at)
      if (next === -1) throw this.#malformed('an element without its end')
      if (next > this.#at) {
        const text = this.#text.slice(this.#at, next)
        if (text.includes(']]>')) throw this.#malformed(']]> in text')
        children.push(this.#references(text))
        this.#at = next
      }
      if (this.#skip('</')) {
        if (this.#name() !== tag) throw this.#malformed('elements that overlap')
        this.#match(whitePattern)
        this.#expect('>')
        return children
      }
      children.push(this.#element(scope, depth + 1))
    }
  }

  #references(text: string): string {
    for (let at = 0; at < text.length; at++)
      if (!isCharacter(text.charCodeAt(at))) throw this.#malformed('a control')
    if (!text.includes('&')) return text
    return text.replace(/&([^;&]{0,12};?)/g, (_all, reference: string) => {
      if (!reference.endsWith(';')) throw this.#malformed('an & that begins no reference')
      const name = reference.slice(0, -1)
      const entity = Object.hasOwn(entities, name) ? entities[name] : undefined
      if (entity !== undefined) return entity
      const [, hex, decimal] = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(name) ?? []
      const code = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal ?? 'none')
      if (!Number.isInteger(code) || code > 0xffff || !isCharacter(code) || (code >= 0xd800 && code < 0xe000))
        throw this.#malformed('a reference to an entity or character that is not allowed')
      return String.fromCharCode(code)
    })
  }

  #resolve(name: string, scope: Scope, bare: string): XmlName {
    const colon = name.indexOf(':')
    if (colon === -1) return { prefix: '', local: name, namespace: bare }
    const prefix = name.slice(0, colon)
    const namespace = scope.get(prefix)
    if (namespace === undefined) throw this.#malformed('a prefix that is not declared')
    return { prefix, local: name.slice(colon + 1), namespace }
  }

  #name(): string {
    const name = this.#match(namePattern)
    if (name === '') throw this.#malformed(`no name where one must be, at ${this.#at}`)
    return name
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #skip(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false
    this.#at += token.length
    return true
  }

  #expect(token: string): void {
    if (!this.#skip(token)) throw this.#malformed(`no ${token} where one must be, at ${this.#at}`)
  }

  #malformed(why: string): AttestationError {
    return malformed(this.#what, why)
  }
}

function isDeclaration(name: string): boolean {
  return name === 'xmlns' || name.startsWith('xmlns:')
}

// XML 1.0 §2.2.
function isCharacter(code: number): boolean {
  return code === 9 || code === 10 || code === 13 || (code >= 0x20 && code !== 0xfffe && code !== 0xffff)
}

function malformed(what: string, why: string, cause?: unknown): AttestationError {
  return new AttestationError('MALFORMED', `${what}: ${why}`, { stage: 'parse', field: 'xml', cause })
}
