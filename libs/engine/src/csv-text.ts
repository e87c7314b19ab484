import type { Table, Value } from './tables.js'

/**
 * A table as CSV (RFC 4180): UTF-8, CRLF, a header. A missing value is an empty field, an empty text is `""`. Texts stay as they are;
 * programs that take a leading `=` for a formula are the reader's concern.
 */
export function tableToCsv(table: Table): string {
  const lines = [table.columns.map(({ name }) => csvField(name))]
  for (let row = 0; row < table.rows; row++)
    lines.push(table.values.map((column) => csvField(column[row] ?? null)))
  return lines.map((fields) => `${fields.join(',')}\r\n`).join('')
}

function csvField(value: Value): string {
  if (value === null) return ''
  const text = String(value)
  return text === '' || /[",\r\n]/.test(text) || text.trim() !== text
    ? `"${text.replaceAll('"', '""')}"`
    : text
}
