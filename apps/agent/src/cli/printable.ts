/**
 * What other parties wrote, made safe to print: a contract's purpose or a refusal's text must not move the cursor, clear the
 * screen or turn the direction of what stands beside it.
 */
const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu

/** One line for a terminal; control and format characters are written out as `\u{…}`. */
export function printable(text: string): string {
  return text.replace(hidden, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** JSON in which control and format characters are escaped too. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
    .split('\n')
    .map((line) =>
      line.replace(hidden, (character) =>
        [...Array(character.length).keys()]
          .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
          .join(''),
      ),
    )
    .join('\n')
}
