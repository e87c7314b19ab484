/** One line of the benchmark: what was measured, the peer measured in the same run, and whether the aim was met. */
export interface BenchRow {
  readonly what: string
  readonly measured: string
  readonly peer: string
  readonly ratio: string
  readonly aim: string
  /** Null where there is no aim: the figure is only shown. */
  readonly met: boolean | null
}
