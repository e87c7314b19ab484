/**
 * Names and texts that people sign. Two names that look alike must not be two names, and no text may show itself in another
 * order or with hidden characters; this guards the person who reads, not the parser.
 */
import { z } from 'zod'

const asciiName = /^[A-Za-z][A-Za-z0-9_-]*$|^_[A-Za-z0-9][A-Za-z0-9_-]*$/
const letterName = /^[\p{L}][\p{L}\p{M}\p{Nd}_-]*$/u
const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029]/u
const hiddenButLines = /[^\P{Cc}\n\t]|[\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029]/u

// Unicode Technical Standard 39 §5.1: single script, with the unions that Japanese, Korean and Bopomofo write in.
const scripts: readonly RegExp[] = [
  /^[\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Greek}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Armenian}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Hebrew}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Arabic}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Devanagari}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Bengali}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Tamil}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Thai}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Georgian}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Han}\p{Script=Bopomofo}\p{Script=Common}\p{Script=Inherited}]+$/u,
]

/** What a name must be, in words for a person. */
export const nameRule =
  'a name of at most 64 characters: letters of one script, digits, _ and -, beginning with a letter'

/** Whether a string may name a party, dataset, column, computation, parameter or output. */
export function isName(text: string): boolean {
  // A name that every JavaScript object already has would be found where nobody wrote it.
  if (text.length > 64 || text in {}) return false
  if (asciiName.test(text)) return true
  return (
    text === text.normalize('NFC') && letterName.test(text) && scripts.some((script) => script.test(text))
  )
}

/** A name as in {@link isName}. */
export const nameSchema = z.string().refine(isName, nameRule)

// The letters of UTS 39's confusables that Cyrillic and Greek share with Latin by sight.
const lookalikes: Readonly<Record<string, string>> = {
  а: 'a',
  в: 'b',
  с: 'c',
  ԁ: 'd',
  е: 'e',
  һ: 'h',
  і: 'i',
  ј: 'j',
  к: 'k',
  ӏ: 'l',
  м: 'm',
  н: 'h',
  о: 'o',
  р: 'p',
  ԛ: 'q',
  ѕ: 's',
  т: 't',
  у: 'y',
  ѵ: 'v',
  ԝ: 'w',
  х: 'x',
  α: 'a',
  β: 'b',
  ε: 'e',
  η: 'n',
  ι: 'i',
  κ: 'k',
  μ: 'm',
  ν: 'v',
  ο: 'o',
  ρ: 'p',
  τ: 't',
  υ: 'u',
  χ: 'x',
  ζ: 'z',
  ı: 'i',
  ɡ: 'g',
}

/** Names with equal skeletons look alike; one contract may not hold both in one place. Case counts for nothing, as in queries. */
export function nameSkeleton(name: string): string {
  return Array.from(name.normalize('NFKC').toLowerCase(), (letter) => lookalikes[letter] ?? letter).join('')
}

/** One line of text without control or format characters, in NFC. */
export function lineSchema(maximum: number) {
  return z
    .string()
    .min(1)
    .max(maximum)
    .refine((text) => text === text.normalize('NFC') && text === text.trim() && !hidden.test(text))
}

/** Text of several lines without control or format characters but line feeds and tabs. */
export function textSchema(maximum: number) {
  return z
    .string()
    .min(1)
    .max(maximum)
    .refine((text) => text.trim() !== '' && !hiddenButLines.test(text))
}

/** Things by name: at least `minimum`, at most `maximum` of them. */
export function namedSchema<Entry extends z.ZodType>(entry: Entry, minimum: number, maximum: number) {
  return z.record(nameSchema, entry).refine((entries) => {
    const count = Object.keys(entries).length
    return count >= minimum && count <= maximum
  })
}
