/** Which files the child needs, and under which fixed names it sees them, so that the host's layout stays outside. */
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EngineError } from './errors.js'

/** A file or folder of the host and where the child finds it. */
export interface Binding {
  readonly host: string
  readonly inside: string
}

/** The program of the child, as files. */
export interface ProgramFiles {
  /** The built program on the host. */
  readonly program: string
  /** The same as the sandbox names it. */
  readonly programInside: string
  readonly bindings: readonly Binding[]
}

const root = '/sealroom'

/**
 * Finds the child's program, one built file, and the database's native packages.
 * @throws EngineError `SANDBOX_UNAVAILABLE` where the project is not built or the database is not installed.
 */
export function findProgramFiles(): ProgramFiles {
  const program = findBuilt('libs/engine/src/engine-child.mjs')
  const programInside = `${root}/engine-child.mjs`
  return {
    program,
    programInside,
    bindings: [
      { host: program, inside: programInside },
      ...databasePackages(program).map(({ name, host }) => ({
        host,
        inside: `${root}/node_modules/${name}`,
      })),
    ],
  }
}

/**
 * Where a built program of this project lies on the host, by its path in the build.
 * @throws EngineError `SANDBOX_UNAVAILABLE` where the project is not built.
 */
export function findBuilt(path: string): string {
  const here = dirname(fileURLToPath(import.meta.url))
  // This module, and a program into which it is bundled, lie three folders deep: in the build, or as sources (tests) beside it.
  const candidates = ['../../..', '../../../dist'].map((dist) => join(here, dist, path))
  const found = candidates.find((candidate) => existsSync(candidate))
  if (found === undefined)
    throw new EngineError(
      'SANDBOX_UNAVAILABLE',
      `${candidates.join(' or ')} is not there; build the project first`,
    )
  return found
}

/** The nearest package.json: it says that .js files are modules. */
export function packageManifest(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'package.json')
    if (existsSync(path)) return path
    if (folder === dirname(folder))
      throw new EngineError('SANDBOX_UNAVAILABLE', `no package.json is above ${from}`)
  }
}

function databasePackages(program: string): { name: string; host: string }[] {
  const api = '@duckdb/node-api'
  const bindings = '@duckdb/node-bindings'
  try {
    // The program holds the API's modules; the native code is found from where they were.
    const bindingsEntry = createRequire(createRequire(program).resolve(api)).resolve(bindings)
    const fromBindings = createRequire(bindingsEntry)
    const platform = `${bindings}-${process.platform}-${process.arch}`
    return [
      { name: bindings, host: packageFolder(bindingsEntry, bindings) },
      ...[platform, `${platform}-musl`].flatMap((name) => resolved(fromBindings, name, '/duckdb.node')),
      ...resolved(fromBindings, 'detect-libc', ''),
    ]
  } catch (cause) {
    throw new EngineError('SANDBOX_UNAVAILABLE', `${api} is not installed`, {}, { cause })
  }
}

function resolved(from: NodeJS.Require, name: string, file: string): { name: string; host: string }[] {
  try {
    return [{ name, host: packageFolder(from.resolve(`${name}${file}`), name) }]
  } catch {
    // Only one platform's package is ever installed, and detect-libc is asked for on some platforms only.
    return []
  }
}

/** The folder of an installed package, from the path of a file in it. */
export function packageFolder(entry: string, name: string): string {
  const mark = `/node_modules/${name}/`
  return entry.slice(0, entry.lastIndexOf(mark) + mark.length - 1)
}

/** The host's library folders, as bindings or, where the host has links, as the same links. */
export function libraryFolders(): { bindings: string[]; links: { target: string; path: string }[] } {
  const present = ['/usr/lib', '/usr/lib32', '/usr/lib64', '/lib', '/lib64', '/nix/store'].filter((path) =>
    existsSync(path),
  )
  const isLink = (path: string): boolean => lstatSync(path).isSymbolicLink()
  return {
    bindings: present.filter((path) => !isLink(path)),
    links: present.filter(isLink).map((path) => ({ target: readlinkSync(path), path })),
  }
}
