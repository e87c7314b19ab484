/**
 * Statements that this process has verified before. Verifying is a function of kind, key and bytes alone, so its answer may be kept:
 * whoever shows the same bytes again gets the same answer without the work. Failures are not kept, so nobody fills it without a
 * signature by a key that the caller expected. Says nothing that verifying did not say, least of all about authority.
 */
export class VerifiedBefore<Kind extends object, Statement> {
  private readonly byKind = new WeakMap<Kind, Map<string, Statement>>()

  /** @param maximumCharacters - of kept statements of one kind; the oldest go first */
  constructor(private readonly maximumCharacters: number) {}

  find(kind: Kind, kid: string, jws: string): Statement | undefined {
    return this.byKind.get(kind)?.get(keyOf(kid, jws))
  }

  keep(kind: Kind, kid: string, jws: string, statement: Statement): void {
    const kept = this.byKind.get(kind) ?? new Map<string, Statement>()
    this.byKind.set(kind, kept.set(keyOf(kid, jws), statement))
    let characters = (this.sizes.get(kept) ?? 0) + jws.length
    for (const key of kept.keys()) {
      if (characters <= this.maximumCharacters) break
      kept.delete(key)
      characters -= key.length - kid.length - 1
    }
    this.sizes.set(kept, characters)
  }

  private readonly sizes = new WeakMap<Map<string, Statement>, number>()
}

function keyOf(kid: string, jws: string): string {
  return `${kid} ${jws}`
}
