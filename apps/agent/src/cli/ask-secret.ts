import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/** Asks at the terminal; what is typed is not shown. */
export async function askSecret(prompt: string): Promise<string> {
  process.stderr.write(`${prompt}: `)
  const silent = new Writable({
    write: (_chunk, _encoding, done) => {
      done()
    },
  })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('close', () => {
        reject(new Error('nothing was typed'))
      })
    })
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
