/** One comparison that a verdict rests on. */
export interface TrustCheck {
  readonly check: string
  readonly expected: string
  readonly seen: string
  readonly ok: boolean
}

/** Collects comparisons; all are made, whatever the first ones say. */
export class CheckList {
  private readonly made: TrustCheck[] = []

  get checks(): readonly TrustCheck[] {
    return this.made
  }

  get ok(): boolean {
    return this.made.length > 0 && this.made.every(({ ok }) => ok)
  }

  check(check: string, expected: string, seen: string, ok: boolean): void {
    this.made.push({ check, expected, seen, ok })
  }

  /** The same members, each once, in any order. */
  same(check: string, expected: readonly string[], seen: readonly string[]): void {
    const [wanted, found] = [expected.toSorted().join(', '), seen.toSorted().join(', ')]
    this.check(check, wanted || 'none', found || 'none', wanted === found)
  }
}
