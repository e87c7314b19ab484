/** The coordinator's clock, in milliseconds since 1970. It only times deadlines and refuses the implausible; nobody trusts it. */
export abstract class Clock {
  abstract now(): number
}

export class SystemClock extends Clock {
  now(): number {
    return Date.now()
  }
}
