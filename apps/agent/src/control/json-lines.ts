import type { Socket } from 'node:net'
import { maximumLineBytes } from './control-messages.js'

/** Calls `onLine` with each line of a socket; a line that is too long destroys the socket. */
export function readLines(socket: Socket, onLine: (line: string) => void): void {
  let parts: Buffer[] = []
  let length = 0
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
      const line = Buffer.concat([...parts, rest.subarray(0, end)]).toString('utf8')
      rest = rest.subarray(end + 1)
      parts = []
      length = 0
      onLine(line)
    }
    parts.push(rest)
    length += rest.length
    if (length > maximumLineBytes) socket.destroy(new Error('a line is too long'))
  })
}

/** The JSON of a line, or undefined where it is none. */
export function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return undefined
  }
}

export function writeLine(socket: Socket, value: unknown): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(value)}\n`)
}
