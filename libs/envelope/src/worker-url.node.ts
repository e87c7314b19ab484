/**
 * Where a worker thread's compiled code lies, seen from this module or from a program into which it is bundled (same depth).
 * Threads cannot load TypeScript, so run from source (in tests) the one that was built is used; `npm test` builds first.
 */
export function workerUrl(name: string): URL {
  const here = import.meta.url
  const dist = here.endsWith('.ts') ? '../../../dist' : '../../..'
  return new URL(`${dist}/libs/envelope/src/${name}.js`, here)
}
