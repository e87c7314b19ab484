/**
 * Where a worker thread's compiled code lies. Threads cannot load TypeScript, so run from source (in tests) the one that was
 * built is used; `npm test` builds first.
 */
export function workerUrl(name: string): URL {
  const here = import.meta.url
  return new URL(`${here.endsWith('.ts') ? '../../../dist/libs/envelope/src/' : './'}${name}.js`, here)
}
