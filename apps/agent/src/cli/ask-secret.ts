import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { AgentError } from '../errors.js'

/**
 * Asks at the terminal; what is typed is not shown.
 * @throws AgentError `USAGE` where the person gives up.
 */
export async function askSecret(prompt: string): Promise<string> {
  process.stderr.write(`${prompt}: `)
  const silent = new Writable({
    write: (_chunk, _encoding, done) => {
      done()
    },
  })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  // The terminal is in raw mode here: Ctrl-C is a key, not a signal.
  lines.once('SIGINT', () => {
    lines.close()
  })
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('close', () => {
        reject(new AgentError('USAGE', 'nothing was typed, and nothing was done'))
      })
    })
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
