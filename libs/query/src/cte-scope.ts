/** Which CTEs a query sees, and which it reads. */
import type { AstNode } from './ast.js'
import { foldName } from './names.js'

/** The CTEs that a SELECT sees. */
export class CteScope {
  private constructor(
    private readonly outer: CteScope | undefined,
    private readonly own: Map<string, { readonly node: unknown; readonly value: AstNode }>,
    private readonly used: Set<string>,
  ) {}

  static inside(outer?: CteScope): CteScope {
    return new CteScope(outer, new Map(), new Set())
  }

  declare(name: string, node: unknown, value: AstNode): void {
    this.own.set(foldName(name), { node, value })
  }

  /** The CTE of that name and what it sees itself: those before it, never itself. */
  find(name: string): { node: unknown; value: AstNode; scope: CteScope } | undefined {
    const folded = foldName(name)
    const own = this.own.get(folded)
    if (own === undefined) return this.outer?.find(name)
    this.used.add(folded)
    const names = [...this.own.keys()]
    const before = [...this.own].slice(0, names.indexOf(folded))
    return { ...own, scope: new CteScope(this.outer, new Map(before), this.used) }
  }

  has(name: string): boolean {
    return this.own.has(foldName(name)) || (this.outer?.has(name) ?? false)
  }

  unused(): string[] {
    return [...this.own.keys()].filter((name) => !this.used.has(name))
  }
}
