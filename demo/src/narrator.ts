/** Tells the demo's story on the terminal, with times, and keeps count of what was not as expected. */

/** A table as results come: named columns, values by column. */
export interface ShownTable {
  readonly columns: readonly { readonly name: string }[]
  readonly rows: number
  readonly values: readonly (readonly unknown[])[]
}

export class Narrator {
  private readonly begunAt = performance.now()
  private surprises = 0

  constructor(private readonly write: (text: string) => void) {}

  get unexpected(): number {
    return this.surprises
  }

  get elapsedSeconds(): number {
    return (performance.now() - this.begunAt) / 1000
  }

  title(text: string): void {
    this.write(`\n${text}\n${'─'.repeat(Math.min(100, text.length))}\n`)
  }

  say(text: string): void {
    this.write(`${text}\n`)
  }

  /** One step with its time. */
  async step<T>(text: string, action: () => Promise<T>): Promise<T> {
    const begun = performance.now()
    try {
      const result = await action()
      this.line('✓', text, begun)
      return result
    } catch (error) {
      this.surprises++
      this.line('✗', text, begun)
      this.say(`      NOT AS EXPECTED: ${error instanceof Error ? error.message : String(error)}`)
      throw error
    }
  }

  /** Something that must be refused, with the reason that was given. */
  async refused(text: string, action: () => Promise<string>, expected: RegExp): Promise<void> {
    const begun = performance.now()
    // A step that broke off refused nothing, whatever words are in its message.
    const { reason, brokeOff } = await action().then(
      (said) => ({ reason: said, brokeOff: false }),
      (error: unknown) => ({
        reason: error instanceof Error ? error.message : String(error),
        brokeOff: true,
      }),
    )
    const asExpected = !brokeOff && expected.test(reason)
    if (!asExpected) this.surprises++
    this.line(asExpected ? '✓' : '✗', text, begun)
    this.say(`      ${asExpected ? 'refused' : `NOT AS EXPECTED (${expected.source})`}: ${wrap(reason)}`)
  }

  expect(ok: boolean, text: string): void {
    if (!ok) this.surprises++
    this.say(`  ${ok ? '✓' : '✗ NOT AS EXPECTED:'} ${text}`)
  }

  table({ columns, rows, values }: ShownTable): void {
    const cells = [columns.map(({ name }) => name)]
    for (let row = 0; row < rows; row++) cells.push(values.map((column) => cell(column[row])))
    const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)))
    for (const line of cells)
      this.say(`      ${line.map((text, index) => text.padEnd(widths[index] ?? 0)).join('  ')}`)
  }

  private line(mark: string, text: string, begun: number): void {
    const seconds = ((performance.now() - begun) / 1000).toFixed(2)
    this.say(`  ${mark} ${text}${' '.repeat(Math.max(1, 88 - text.length))}${seconds.padStart(6)} s`)
  }
}

function cell(value: unknown): string {
  return value === null || value === undefined
    ? ''
    : typeof value === 'string'
      ? value
      : JSON.stringify(value)
}

function wrap(text: string): string {
  const words = text.replaceAll(/\s+/g, ' ').trim()
  return words.length > 420 ? `${words.slice(0, 419)}…` : words
}
