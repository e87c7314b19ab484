import { AttestationError } from '../errors.js'
import type { XmlElement } from './xml-reader.js'

/** The elements directly below, by namespace and local name. */
export function childrenOf(element: XmlElement, namespace: string, local: string): readonly XmlElement[] {
  return elementsOf(element).filter((child) => child.namespace === namespace && child.local === local)
}

/** All elements directly below. */
export function elementsOf({ children }: XmlElement): readonly XmlElement[] {
  return children.filter((child): child is XmlElement => typeof child !== 'string')
}

/**
 * The one element of that name directly below.
 * @throws AttestationError `MALFORMED` where there is none, or more than one.
 */
export function onlyChild(element: XmlElement, namespace: string, local: string): XmlElement {
  const [child, ...others] = childrenOf(element, namespace, local)
  if (child === undefined || others.length > 0)
    throw new AttestationError('MALFORMED', `${element.local} has not exactly one ${local}`, {
      stage: 'parse',
      field: local,
    })
  return child
}

/** An attribute's value; null where there is none. */
export function attributeOf({ attributes }: XmlElement, local: string, namespace = ''): string | null {
  return (
    attributes.find((attribute) => attribute.namespace === namespace && attribute.local === local)?.value ??
    null
  )
}

/** The text of an element that has nothing but text. */
export function textOf(element: XmlElement): string {
  const texts = element.children.filter((child) => typeof child === 'string')
  if (texts.length < element.children.length)
    throw new AttestationError('MALFORMED', `${element.local} holds elements; expected text`, {
      stage: 'parse',
      field: element.local,
    })
  return texts.join('')
}
