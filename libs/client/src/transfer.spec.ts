import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { digest, domains, signingKeyFromSeed, type SigningKey } from '#libs/canonical'
import { seededBytes } from '#libs/testing'
import { downloadBlob } from './download.node.js'
import type { Connection } from './signed-fetch.js'
import { uploadFile, uploadPartBytes } from './upload.node.js'

let key: SigningKey
let folder: string
const closing: (() => Promise<void>)[] = []
const bytes = Buffer.from(seededBytes('blob')(1000))
const blob = { digest: digest(domains.ciphertext, bytes), size: bytes.length }

beforeAll(async () => {
  key = await signingKeyFromSeed(seededBytes('transfer')(32))
  folder = await mkdtemp(join(tmpdir(), 'sealroom-transfer-'))
})

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function connected(
  answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void,
): Promise<Connection> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      answer(request, response, Buffer.concat(chunks))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, origin: 'log.test/1', key, now: Date.now, randomBytes: seededBytes('jti') }
}

/** Serves ranges of a blob, and breaks the connection off after some bytes as often as it is told. */
function ranges(content: Buffer, breaks: number[], asked: string[]) {
  return (request: IncomingMessage, response: ServerResponse) => {
    asked.push(request.headers.range ?? '')
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const part = content.subarray(from)
    response.writeHead(206, { 'content-length': part.length })
    const cut = breaks.shift()
    if (cut === undefined) response.end(part)
    else response.write(part.subarray(0, cut), () => setImmediate(() => response.destroy()))
  }
}

async function download(connection: Connection, attempts = 3): Promise<Buffer> {
  const path = join(folder, 'download')
  const file = await open(path, 'w+')
  try {
    await downloadBlob(connection, file, { ...blob, attempts })
  } finally {
    await file.close()
  }
  return await readFile(path)
}

describe('downloadBlob', () => {
  it('takes a broken download up where it ended', async () => {
    const asked: string[] = []
    expect(await download(await connected(ranges(bytes, [400, 300], asked)))).toEqual(bytes)
    expect(asked).toEqual(['bytes=0-999', 'bytes=400-999', 'bytes=700-999'])
  })

  it('gives up after its attempts, and leaves nothing in the file', async () => {
    const connection = await connected(ranges(bytes, [10, 10, 10], []))
    await expect(download(connection)).rejects.toMatchObject({ code: 'COORDINATOR_UNREACHABLE' })
    expect(await readFile(join(folder, 'download'))).toHaveLength(0)
  })

  const others: readonly [what: string, content: Buffer][] = [
    ['of another digest', Buffer.from(bytes.map((byte, index) => (index === 500 ? byte ^ 1 : byte)))],
    ['that is longer than a signed statement says', Buffer.concat([bytes, bytes])],
  ]
  it.each(others)('keeps nothing of a blob %s', async (_what, content) => {
    const connection = await connected(ranges(content, [], []))
    await expect(download(connection)).rejects.toMatchObject({ code: 'TRANSFER_MISMATCH' })
    expect(await readFile(join(folder, 'download'))).toHaveLength(0)
  })

  it('does not put a whole blob where it asked for the rest', async () => {
    const cut = ranges(bytes, [400], [])
    let first = true
    const connection = await connected((request, response) => {
      if (!first) {
        response.writeHead(200).end(bytes)
        return
      }
      first = false
      cut(request, response)
    })
    await expect(download(connection)).rejects.toMatchObject({ code: 'TRANSFER_MISMATCH' })
  })
})

describe('uploadFile', () => {
  const exists = { type: 't', title: 't', status: 409, code: 'UPLOAD_EXISTS', detail: 'd', requestId: 'r' }

  async function uploads(start: number, more: { wrongOffset?: boolean; breakOnce?: boolean } = {}) {
    const kept: Buffer[] = []
    const offsets: number[] = []
    let [stands, begun, broken] = [start, start > 0, false]
    const connection = await connected((request, response, body) => {
      if (request.method === 'POST') {
        if (begun) response.writeHead(409, { 'content-type': 'application/json' }).end(JSON.stringify(exists))
        else response.writeHead(201).end()
        begun = true
      } else if (request.method === 'HEAD') response.writeHead(200, { 'upload-offset': String(stands) }).end()
      else if (more.breakOnce === true && !broken && offsets.length === 1) {
        broken = true
        response.destroy()
      } else {
        offsets.push(Number(request.headers['upload-offset']))
        kept.push(body)
        stands += body.length
        response
          .writeHead(204, { 'upload-offset': String(more.wrongOffset === true ? stands + 1 : stands) })
          .end()
      }
    })
    return { connection, kept, offsets }
  }

  it('sends parts in order, and goes on after a cut where the coordinator stands', async () => {
    const content = Buffer.alloc(uploadPartBytes * 2 + 5, 7)
    const path = join(folder, 'upload')
    await writeFile(path, content)
    const options = { digest: digest(domains.ciphertext, content), size: content.length }
    const { connection, kept, offsets } = await uploads(0, { breakOnce: true })
    await expect(uploadFile(connection, path, options)).rejects.toMatchObject({
      code: 'COORDINATOR_UNREACHABLE',
    })
    await uploadFile(connection, path, options)
    expect(offsets).toEqual([0, uploadPartBytes, uploadPartBytes * 2])
    expect(Buffer.concat(kept).equals(content)).toBe(true)
  })

  it('sends nothing of what is there already', async () => {
    const path = join(folder, 'whole')
    await writeFile(path, bytes)
    const { connection, kept } = await uploads(bytes.length)
    await uploadFile(connection, path, blob)
    expect(kept).toEqual([])
  })

  it('ends where the file is shorter than it was, or the coordinator counts otherwise', async () => {
    const path = join(folder, 'short')
    await writeFile(path, bytes.subarray(0, 500))
    await expect(uploadFile((await uploads(0)).connection, path, blob)).rejects.toMatchObject({
      code: 'TRANSFER_MISMATCH',
    })
    await writeFile(path, bytes)
    const { connection } = await uploads(0, { wrongOffset: true })
    await expect(uploadFile(connection, path, blob)).rejects.toMatchObject({ code: 'TRANSFER_MISMATCH' })
  })
})
