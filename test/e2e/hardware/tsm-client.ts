/** The files of a configfs-tsm that another process serves, see `serveTsm`. */
import { request } from 'node:http'
import type { TsmFiles } from '../../../apps/enclave/src/guest/tsm-files.js'

/** Those of the machine that is served at a path. */
export function servedTsm(socket: string): TsmFiles {
  return {
    isHere: () => true,
    makeRequest: async (name) => {
      await ask(socket, `/make/${name}`)
    },
    writeQuestion: async (name, reportData) => {
      await ask(socket, `/write/${name}`, reportData)
    },
    read: (name, file) => ask(socket, `/read/${name}/${file}`),
    removeRequest: async (name) => {
      await ask(socket, `/remove/${name}`)
    },
  }
}

function ask(socketPath: string, path: string, body: Uint8Array = new Uint8Array()): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const question = request({ socketPath, path, method: 'POST' }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const bytes = Buffer.concat(parts)
        if (response.statusCode === 200) resolve(new Uint8Array(bytes))
        else reject(Object.assign(new Error(path), { code: bytes.toString() }))
      })
    })
    question.on('error', reject)
    question.end(body)
  })
}
