/** Canonical XML 1.1 without comments (W3C, 2008), of a document or of one element with what it inherits. */
import { utf8 } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { xmlNamespace, type XmlAttribute, type XmlElement } from './xml-reader.js'

/** What to make the canonical form of. */
export interface CanonicalSubset {
  /** From the document's element down to the one meant, which comes last. */
  readonly path: readonly [XmlElement, ...XmlElement[]]
  /** Left out, with all that is in it. */
  readonly without?: XmlElement
}

/**
 * The canonical bytes of an element. What is declared around it, and `xml:lang` and `xml:space` around it, count as its own
 * (§2.4); `xml:base`, whose rules are intricate, is refused.
 * @throws AttestationError `MALFORMED`.
 */
export function canonicalXml({ path, without }: CanonicalSubset): Uint8Array {
  const apex = path[path.length - 1] ?? path[0]
  const inherited = new Map<string, XmlAttribute>()
  const declared = new Map<string, string>()
  for (const ancestor of path.slice(0, -1)) {
    for (const [prefix, namespace] of ancestor.declarations) declared.set(prefix, namespace)
    for (const attribute of ancestor.attributes) {
      if (attribute.namespace !== xmlNamespace) continue
      if (attribute.local === 'lang' || attribute.local === 'space') inherited.set(attribute.local, attribute)
    }
  }
  for (const { namespace, local } of apex.attributes) if (namespace === xmlNamespace) inherited.delete(local)
  const parts: string[] = []
  const own = {
    ...apex,
    declarations: new Map([...declared, ...apex.declarations]),
    attributes: [...apex.attributes, ...inherited.values()],
  }
  write(own, new Map(), without, parts)
  return utf8(parts.join(''))
}

function write(
  element: XmlElement,
  rendered: ReadonlyMap<string, string>,
  without: XmlElement | undefined,
  parts: string[],
): void {
  const name = qualified(element)
  const scope = new Map(rendered)
  parts.push('<', name)
  for (const [prefix, namespace] of [...element.declarations].sort(([a], [b]) => compare(a, b))) {
    // Declared again as it was: superfluous. An empty default says nothing where there was none.
    if ((scope.get(prefix) ?? '') === namespace) continue
    scope.set(prefix, namespace)
    parts.push(prefix === '' ? ' xmlns="' : ` xmlns:${prefix}="`, escapeValue(namespace), '"')
  }
  const sorted = [...element.attributes].sort(
    (a, b) => compare(a.namespace, b.namespace) || compare(a.local, b.local),
  )
  for (const attribute of sorted) {
    if (attribute.namespace === xmlNamespace && attribute.local === 'base')
      throw new AttestationError('MALFORMED', 'signed XML: xml:base is not understood', {
        stage: 'parse',
        field: 'xml:base',
      })
    parts.push(' ', qualified(attribute), '="', escapeValue(attribute.value), '"')
  }
  parts.push('>')
  for (const child of element.children) {
    if (typeof child === 'string') parts.push(escapeText(child))
    else if (child !== without) write(child, scope, without, parts)
  }
  parts.push('</', name, '>')
}

function qualified({ prefix, local }: Pick<XmlElement, 'prefix' | 'local'>): string {
  return prefix === '' ? local : `${prefix}:${local}`
}

// By code point, as §2.2 says; names and namespaces here are ASCII.
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function escapeValue(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\t', '&#x9;')
    .replaceAll('\n', '&#xA;')
    .replaceAll('\r', '&#xD;')
}

function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#xD;')
}
