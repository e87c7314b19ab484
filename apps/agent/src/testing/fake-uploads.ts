/** Resumable uploads of the fake coordinator (tus 1.0), which can break off in the middle. */
import type { IncomingMessage, ServerResponse } from 'node:http'

export class FakeUploads {
  /** by digest */
  readonly blobs = new Map<string, Buffer>()
  private readonly sizes = new Map<string, number>()
  /** how many more parts are taken before the connection breaks; null: never */
  breakAfter: number | null = null
  /** bytes of PATCH bodies taken in all */
  taken = 0

  /** Answers what concerns uploads and blobs; false for everything else. */
  serve(request: IncomingMessage, body: Buffer, url: URL, response: ServerResponse): boolean {
    if (url.pathname === '/v1/uploads' && request.method === 'POST') {
      this.create(request, response)
      return true
    }
    const digest = /^\/v1\/(?:uploads|blobs)\/([0-9a-f]{64})$/.exec(url.pathname)?.[1]
    if (digest === undefined) return false
    if (request.method === 'PATCH') this.take(digest, body, response)
    else if (request.method === 'HEAD')
      response.writeHead(200, { 'upload-offset': String(this.blobs.get(digest)?.length ?? 0) }).end()
    else response.writeHead(200).end(this.blobs.get(digest))
    return true
  }

  private create(request: IncomingMessage, response: ServerResponse): void {
    const metadata = String(request.headers['upload-metadata'])
    const digest = Buffer.from(metadata.replace('digest ', ''), 'base64').toString()
    if (this.sizes.has(digest)) {
      const problem = {
        type: 'about:blank',
        title: 'exists',
        status: 409,
        code: 'UPLOAD_EXISTS',
        detail: 'it began before',
        requestId: 'fake',
      }
      response.writeHead(409, { 'content-type': 'application/json' }).end(JSON.stringify(problem))
      return
    }
    this.sizes.set(digest, Number(request.headers['upload-length']))
    this.blobs.set(digest, Buffer.alloc(0))
    response.writeHead(201).end()
  }

  private take(digest: string, body: Buffer, response: ServerResponse): void {
    if (this.breakAfter === 0) {
      response.destroy()
      return
    }
    if (this.breakAfter !== null) this.breakAfter -= 1
    const blob = Buffer.concat([this.blobs.get(digest) ?? Buffer.alloc(0), body])
    this.blobs.set(digest, blob)
    this.taken += body.length
    response.writeHead(204, { 'upload-offset': String(blob.length) }).end()
  }
}
