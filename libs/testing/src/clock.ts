/** A time that moves only when a test says so. */
export interface TestClock {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly iso: (afterMilliseconds?: number) => string
  advance(milliseconds: number): void
}

/** Noon of a day on which the contracts of these tests are valid. */
export const testStart = Date.parse('2026-11-23T12:00:00.000Z')

export function aClock(start = testStart): TestClock {
  let time = start
  return {
    now: () => time,
    iso: (after = 0) => new Date(time + after).toISOString(),
    advance: (milliseconds) => {
      time += milliseconds
    },
  }
}
