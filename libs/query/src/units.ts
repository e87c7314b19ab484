/**
 * Follows the privacy units through joins and reductions: which columns hold the same unit in every row, and which hold a
 * unit or NULL. From this the checker knows whether a group can hold rows of two units, and the generator which counts are equal.
 */
import type { ColumnId } from './form.js'

/** What is known of columns by joins made so far. Column numbers are unique, so one record serves the whole query. */
export class UnitKnowledge {
  private readonly parents = new Map<ColumnId, ColumnId>()
  private readonly nullOr = new Map<ColumnId, Set<ColumnId>>()

  /** In every row from here on: a and b are equal, or both NULL. */
  equate(a: ColumnId, b: ColumnId): void {
    this.parents.set(this.root(a), this.root(b))
  }

  /** In every row from here on: a is NULL, or equal to b. */
  nullOrEqual(a: ColumnId, b: ColumnId): void {
    const known = this.nullOr.get(a) ?? new Set()
    known.add(b)
    this.nullOr.set(a, known)
  }

  /** Whether a and b are equal, or both NULL, in every row. */
  same(a: ColumnId, b: ColumnId): boolean {
    return this.root(a) === this.root(b)
  }

  /**
   * Whether `unit` is NULL or equal to `column` in every row. Steps chain: where unit is not NULL it equals the next
   * column, which is then not NULL either.
   */
  determinedBy(unit: ColumnId, column: ColumnId): boolean {
    return this.reachedFrom(unit).has(this.root(column))
  }

  /** Whether all columns that are not NULL hold one unit, in every row: some column is what each of them is NULL or equal to. */
  meet(columns: readonly ColumnId[]): boolean {
    const [first, ...others] = columns.map((column) => this.reachedFrom(column))
    if (first === undefined) return false
    return [...first].some((column) => others.every((reached) => reached.has(column)))
  }

  private reachedFrom(unit: ColumnId): ReadonlySet<ColumnId> {
    const reached = new Set([this.root(unit)])
    for (const at of reached)
      for (const [from, targets] of this.nullOr)
        if (this.root(from) === at) for (const target of targets) reached.add(this.root(target))
    return reached
  }

  private root(column: ColumnId): ColumnId {
    let at = column
    for (
      let parent = this.parents.get(at);
      parent !== undefined && parent !== at;
      parent = this.parents.get(at)
    )
      at = parent
    return at
  }
}
