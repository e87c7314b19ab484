/**
 * Starts a program where it can reach nothing: no network, no files but its own program, no environment, capped memory, time
 * and files. Inputs are descriptors, never paths.
 * Guards: the host and other parties' data against a child that a crafted input has taken over.
 * Does not guard against a flaw in the kernel, nor, in mode `process`, against a native library opening files by itself.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { EngineError } from './errors.js'
import { libraryFolders, type ProgramFiles } from './program-files.node.js'

/** How strongly a child is confined. It stands in the enclave's Offer. */
export type SandboxMode = 'bubblewrap' | 'process'

/** What this machine has. */
export interface SandboxFinding {
  readonly mode: SandboxMode
  /** One sentence for people: what confines the child, or what is missing and how to get it. */
  readonly explanation: string
}

/** Caps that the kernel enforces. */
export interface SandboxLimits {
  /** RLIMIT_DATA in bytes: heap and private mappings; not address space, which V8 reserves freely. */
  readonly dataBytes: number
  /** Processor seconds over the child's whole life. */
  readonly cpuSeconds: number
  /** Largest file that the child may write, in bytes; 0 where it writes none. */
  readonly fileBytes: number
  readonly openFiles: number
  /** Threads; applied under bubblewrap only, where they are counted within the sandbox. */
  readonly threads: number
  /** V8's old space in megabytes. */
  readonly heapMegabytes: number
}

const run = promisify(execFile)
const folders = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin']

// Fixed folders, not PATH: what confines the child must not come from wherever the environment points.
function findTool(name: string): string | undefined {
  return folders.map((folder) => `${folder}/${name}`).find((path) => existsSync(path))
}

let known: Promise<SandboxFinding> | undefined

/** Finds out, once per process, by starting an empty sandbox, what can confine a child here. */
export function detectSandbox(): Promise<SandboxFinding> {
  known ??= probe()
  return known
}

async function probe(): Promise<SandboxFinding> {
  const bwrap = findTool('bwrap')
  const prlimit = findTool('prlimit')
  const weaker =
    'the engine runs as a plain child process with an empty environment and Node’s permission model only'
  if (process.platform !== 'linux')
    return {
      mode: 'process',
      explanation: `bubblewrap exists on Linux only; ${weaker}, without kernel limits.`,
    }
  if (prlimit === undefined)
    return {
      mode: 'process',
      explanation: `prlimit is missing, so ${weaker}; install it: apt-get install util-linux`,
    }
  if (bwrap === undefined)
    return {
      mode: 'process',
      explanation: `bubblewrap is missing, so ${weaker}; install it: apt-get install bubblewrap`,
    }
  try {
    await run(bwrap, [...(await confinement(bwrap)), '--', inside.prlimit, '--version'], {
      env: {},
      timeout: 5000,
    })
    return {
      mode: 'bubblewrap',
      explanation: 'Engines run under bubblewrap: no network, no files, capped by the kernel.',
    }
  } catch {
    return {
      mode: 'process',
      explanation:
        `bubblewrap is installed but may not make user namespaces here, so ${weaker}; ` +
        'allow them: sysctl kernel.unprivileged_userns_clone=1, or lift the container’s seccomp or AppArmor rule for bwrap',
    }
  }
}

const inside = { node: '/sealroom/bin/node', prlimit: '/sealroom/bin/prlimit' } as const

/** Everything of the sandbox but the program: names, namespaces, file systems. */
async function confinement(bwrap: string): Promise<string[]> {
  const prlimit = findTool('prlimit') ?? inside.prlimit
  const libraries = libraryFolders()
  return [
    ...['--unshare-user', '--unshare-all', ...(await optionalFlags(bwrap))],
    ...['--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--clearenv', '--hostname', 'engine'],
    ...libraries.bindings.flatMap((path) => ['--ro-bind', path, path]),
    ...libraries.links.flatMap(({ target, path }) => ['--symlink', target, path]),
    ...['--ro-bind', process.execPath, inside.node, '--ro-bind', prlimit, inside.prlimit],
    ...['--proc', '/proc', '--dev', '/dev', '--remount-ro', '/dev'],
    ...[
      '--perms',
      '0700',
      '--tmpfs',
      '/tmp',
      '--perms',
      '0500',
      '--tmpfs',
      '/empty',
      '--remount-ro',
      '/empty',
    ],
    ...['--chdir', '/empty'],
  ]
}

let flags: Promise<string[]> | undefined

// Older bubblewrap does not know this one; a namespace within the namespace gives a taken-over child more of the kernel to attack.
function optionalFlags(bwrap: string): Promise<string[]> {
  flags ??= run(bwrap, ['--help'], { env: {}, timeout: 5000 }).then(({ stdout }) =>
    stdout.includes('--disable-userns') ? ['--disable-userns'] : [],
  )
  return flags
}

/** A started child: requests go in at 0, replies come out at 3, descriptors begin at 4; what it prints goes nowhere. */
export interface SandboxedChild {
  readonly process: ChildProcess
  readonly mode: SandboxMode
}

/** The child's number of the first descriptor that the caller hands in. */
export const firstDescriptor = 4

/**
 * Starts the program in a sandbox.
 * @param descriptors - the parent's descriptors; the child sees them as 4, 5, …
 * @throws EngineError `SANDBOX_UNAVAILABLE` where it cannot be started.
 */
export async function spawnSandboxed(
  files: ProgramFiles,
  mode: SandboxMode,
  limits: SandboxLimits,
  descriptors: readonly number[],
): Promise<SandboxedChild> {
  const [command, ...args] =
    mode === 'bubblewrap' ? await bubblewrapLine(files, limits) : processLine(files, limits)
  if (command === undefined) throw new EngineError('SANDBOX_UNAVAILABLE', 'there is nothing to start')
  const child = spawn(command, args, {
    cwd: '/',
    env: {},
    // Output of native code may hold values, so it is thrown away; only frames on descriptor 3 are read.
    stdio: ['pipe', 'ignore', 'ignore', 'pipe', ...descriptors],
    windowsHide: true,
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) => {
      reject(new EngineError('SANDBOX_UNAVAILABLE', `${command} cannot be started`, {}, { cause }))
    })
  })
  return { process: child, mode }
}

async function bubblewrapLine(files: ProgramFiles, limits: SandboxLimits): Promise<string[]> {
  const bwrap = findTool('bwrap')
  if (bwrap === undefined)
    throw new EngineError(
      'SANDBOX_UNAVAILABLE',
      'bubblewrap is missing; install it: apt-get install bubblewrap',
    )
  return [
    ...[bwrap, ...(await confinement(bwrap))],
    ...files.bindings.flatMap(({ host, inside: path }) => ['--ro-bind', host, path]),
    // Last, since the folders above are made in it.
    ...['--remount-ro', '/', '--'],
    ...[inside.prlimit, ...limitFlags(limits), `--nproc=${limits.threads}`, '--'],
    ...[inside.node, ...nodeFlags(limits), files.programInside],
  ]
}

function processLine(files: ProgramFiles, limits: SandboxLimits): string[] {
  const prlimit = findTool('prlimit')
  const reads = files.bindings.map(
    ({ host }) => `--allow-fs-read=${host}${/\.(json|mjs)$/.test(host) ? '' : '/*'}`,
  )
  return [
    ...(prlimit === undefined ? [] : [prlimit, ...limitFlags(limits), '--']),
    ...[process.execPath, ...nodeFlags(limits), permissionFlag(), '--allow-addons', ...reads, files.program],
  ]
}

function limitFlags(limits: SandboxLimits): string[] {
  return [
    ...[`--data=${limits.dataBytes}`, `--cpu=${limits.cpuSeconds}`, `--fsize=${limits.fileBytes}`],
    ...[`--nofile=${limits.openFiles}`, '--core=0', '--memlock=0'],
  ]
}

function nodeFlags(limits: SandboxLimits): string[] {
  return [
    `--max-old-space-size=${limits.heapMegabytes}`,
    '--disallow-code-generation-from-strings',
    '--no-warnings',
  ]
}

function permissionFlag(): string {
  return process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'
}
