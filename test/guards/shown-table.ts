import type { CoveredGuard, Guard } from './guard.js'

/** The table of guards as test/README.md shows it. */
export function shownTable(guards: readonly Guard[], covered: readonly CoveredGuard[]): string {
  return [
    '| without | goes red |',
    '| --- | --- |',
    ...guards.map(
      ({ does, foundBy: { spec, title } }) =>
        `| ${does} | \`${spec.replace(/^test\//, '').replace(/\.spec\.ts$/, '')}\`: ${escaped(title)} |`,
    ),
    '',
    '| without this alone, nothing: | since |',
    '| --- | --- |',
    ...covered.map(({ does, because }) => `| ${does} | ${escaped(because)} |`),
  ].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|')
}
