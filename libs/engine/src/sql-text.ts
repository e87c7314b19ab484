/** Names and literals in generated SQL. */

/** A quoted identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** The path of a descriptor; the only kind of path that the child's SQL ever names. */
export function descriptorPath(fd: number): string {
  return literal(`/proc/self/fd/${Math.trunc(fd)}`)
}
