/** Rows of text under headings, in columns of equal width. Numbers stand right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ''))))
  const numeric = headings.map(
    (_, column) => rows.length > 0 && rows.every((row) => /^-?[\d.,]*(?: ?%)?$/.test(row[column] ?? '')),
  )
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => {
        const gap = ' '.repeat(width - widthOf(row[column] ?? ''))
        return numeric[column] === true ? gap + (row[column] ?? '') : (row[column] ?? '') + gap
      })
      .join('  ')
      .trimEnd()
  return [line(headings), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)]
}

/** `1 mistake`, `2 mistakes`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** Names and what they hold, below each other. */
export function facts(pairs: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
}

// Code points, not code units; wide scripts are off by some columns, which spoils no meaning.
function widthOf(text: string): number {
  return Array.from(text).length
}
