/** One line of the benchmark: what was measured, the peer measured in the same run, and whether the aim was met. */
export interface BenchRow {
  readonly what: string
  readonly measured: string
  readonly peer: string
  readonly ratio: string
  readonly aim: string
  readonly met: boolean
}
