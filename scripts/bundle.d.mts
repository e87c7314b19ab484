export function expectNothingThatOpens(program: string, modules: readonly string[]): void
