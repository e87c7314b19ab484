/** Runs published vectors and says of each file what became of its cases. */
import { existsSync } from 'node:fs'
import { vectorKinds } from './kinds.js'
import { MalformedVectors, type NotUsed, type VectorCase, type VectorKind, type VectorSet } from './kind.js'
import { filesBelow, type VectorFile } from './vector-file.js'

/** What the runner is given besides folders. */
export interface RunOptions {
  readonly print: (line: string) => void
  /** milliseconds; says when progress of a long file is due */
  readonly now: () => number
  /** @defaultValue every kind there is */
  readonly kinds?: readonly VectorKind[]
}

/** What became of the cases. */
export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly notUsed: number
  /** Files of no known kind; they are named, and count as nothing. */
  readonly notRecognised: number
}

/** The totals, and how many of the arguments held no vectors at all. */
export interface RunResult extends Totals {
  readonly emptyArguments: number
}

interface Found {
  readonly file: VectorFile
  /** Undefined where no kind knows the file. */
  readonly kind: VectorKind | undefined
  readonly set: VectorSet | undefined
}

const none: Totals = { passed: 0, failed: 0, notUsed: 0, notRecognised: 0 }
const progressEvery = 5000
/** Characters of a value that are shown; a difference of long ones is shown from where it begins. */
const shownLength = 160

/**
 * Runs what lies below each path. A file that cannot be read as what it claims to be is a failed case; a path with neither a case nor
 * anything that is not used is an empty argument.
 */
export async function runVectors(paths: readonly string[], options: RunOptions): Promise<RunResult> {
  const kinds = options.kinds ?? vectorKinds
  let totals = none
  let emptyArguments = 0
  for (const path of paths) {
    const seen = existsSync(path) ? await runPath(path, kinds, options) : none
    totals = sum(totals, seen)
    if (seen.passed + seen.failed + seen.notUsed > 0) continue
    emptyArguments++
    options.print(`error: ${path} ${existsSync(path) ? 'holds no vectors' : 'is not there'}; looked for`)
    for (const kind of kinds) options.print(`  ${kind.name}: ${kind.looksFor}`)
  }
  return { ...totals, emptyArguments }
}

async function runPath(path: string, kinds: readonly VectorKind[], options: RunOptions): Promise<Totals> {
  const found = filesBelow(path).map((file) => recognised(file, kinds))
  const isClaimed = ({ file }: Found) => found.some(({ set }) => set?.claims?.(file.path) === true)
  let totals = none
  for (const each of found.filter((candidate) => !isClaimed(candidate))) {
    if (each.set === undefined) {
      options.print(`not recognised: ${each.file.path}`)
      totals = sum(totals, { ...none, notRecognised: 1 })
    } else totals = sum(totals, await runSet(each.file, each.kind?.name ?? 'vectors', each.set, options))
  }
  return totals
}

function recognised(file: VectorFile, kinds: readonly VectorKind[]): Found {
  try {
    for (const kind of kinds) {
      const set = kind.recognise(file)
      if (set !== undefined) return { file, kind, set }
    }
    return { file, kind: undefined, set: undefined }
  } catch (error) {
    if (!(error instanceof MalformedVectors)) throw error
    return { file, kind: undefined, set: { cases: () => [unreadable(error)] } }
  }
}

async function runSet(file: VectorFile, kind: string, set: VectorSet, options: RunOptions): Promise<Totals> {
  const counted = { ...none }
  const reasons = new Map<string, { readonly notUsed: NotUsed; cases: number }>()
  let shownAt = options.now()
  for await (const each of readable(set)) {
    if ('notUsed' in each) {
      const reason = `${each.notUsed}: ${each.why}`
      const known = reasons.get(reason)
      if (known === undefined) reasons.set(reason, { notUsed: each, cases: each.cases })
      else known.cases += each.cases
      counted.notUsed += each.cases
    } else {
      const seen = await seenOf(each)
      if (each.told !== undefined) options.print(each.told)
      if (seen === each.expected) counted.passed++
      else counted.failed++
      if (seen !== each.expected) for (const line of failure(file, each, seen)) options.print(line)
    }
    if (options.now() - shownAt < progressEvery) continue
    shownAt = options.now()
    options.print(`${file.path}: ${counted.passed + counted.failed} cases so far`)
  }
  for (const { notUsed, cases } of reasons.values())
    options.print(`not used: ${file.path}, ${notUsed.notUsed}: ${notUsed.why} (${cases})`)
  if (counted.passed + counted.failed > 0)
    options.print(`${file.path}: ${kind}: ${counted.passed} passed, ${counted.failed} failed`)
  return counted
}

// A kind finds out while it makes cases that its file is malformed or that a key in it cannot be used: one more failed case.
async function* readable(set: VectorSet): AsyncGenerator<VectorCase | NotUsed> {
  let cases = 0
  try {
    for await (const each of set.cases()) {
      cases++
      yield each
    }
  } catch (error) {
    cases++
    yield unreadable(error)
  }
  if (cases === 0) yield unreadable(new MalformedVectors('it holds no case'))
}

function unreadable(error: unknown): VectorCase {
  return { id: 'the file', expected: 'well-formed vectors', see: () => describe(error) }
}

async function seenOf(each: VectorCase): Promise<string> {
  try {
    return await each.see()
  } catch (error) {
    return `thrown: ${describe(error)}`
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

function failure(file: VectorFile, each: VectorCase, seen: string): readonly string[] {
  let from = 0
  while (from < seen.length && seen[from] === each.expected[from]) from++
  const start = each.expected.length > shownLength ? Math.max(0, from - 16) : 0
  const cut = (text: string) => {
    const shown = text.slice(start, start + shownLength)
    return `${start > 0 ? '…' : ''}${shown}${text.length > start + shownLength ? '…' : ''}`
  }
  return [`failed: ${file.path}, ${each.id}`, `  expected ${cut(each.expected)}`, `  seen     ${cut(seen)}`]
}

function sum(a: Totals, b: Totals): Totals {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    notUsed: a.notUsed + b.notUsed,
    notRecognised: a.notRecognised + b.notRecognised,
  }
}
