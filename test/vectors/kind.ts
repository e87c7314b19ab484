/**
 * What a kind of published vectors is to the runner: it recognises its files by what is in them, and makes cases of them.
 * A new kind is one file in this folder and one line in kinds.ts.
 */
import type { VectorFile } from './vector-file.js'

/** One thing that a file of vectors demands. It has passed where what is seen is what is expected. */
export interface VectorCase {
  /** As the file names it, such as `tcId 7`. */
  readonly id: string
  /** What the file demands, in words or in hexadecimal. */
  readonly expected: string
  /** What the code does. What it throws has failed. */
  readonly see: () => string | Promise<string>
  /** What is told of the case, whether it passed or not. Without it only a failure is told. */
  readonly told?: string
}

/** Cases of a file that say nothing about this project: never passed, counted apart. */
export interface NotUsed {
  /** What the cases have in common: an algorithm, a suite and mode, a length of key. */
  readonly notUsed: string
  readonly why: string
  readonly cases: number
}

/** The cases of one file, and of the files beside it that belong to them. */
export interface VectorSet {
  readonly cases: () => Iterable<VectorCase | NotUsed> | AsyncIterable<VectorCase | NotUsed>
  /** Whether another file is part of this set, so that no kind is asked about it. */
  readonly claims?: (path: string) => boolean
}

/** A kind of vectors. */
export interface VectorKind {
  readonly name: string
  /** What its files look like; shown where an argument holds no vectors. */
  readonly looksFor: string
  /**
   * The set that a file is, or undefined where it is of another kind.
   * @throws MalformedVectors where it is of this kind and cannot be read.
   */
  readonly recognise: (file: VectorFile) => VectorSet | undefined
}

/** A file that claims to hold vectors and cannot be read as such. The runner counts it as one failed case. */
export class MalformedVectors extends Error {
  override readonly name = 'MalformedVectors'
}
