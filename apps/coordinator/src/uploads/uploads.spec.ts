import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digest, domains, toBase64url } from '#libs/canonical'
import { downloadBlob, signedFetch } from '#libs/client'
import { bodyDigest, createRequestToken } from '#libs/protocol'
import { aStage, testOrigin, type Stage } from '../testing/stage.js'
import type { TestParty } from '../testing/party.js'
import { uploadBytes } from '../testing/upload.js'
import { parseRange } from './blobs.controller.js'

describe('an upload', () => {
  let stage: Stage
  let north: TestParty

  beforeAll(async () => {
    stage = await aStage({ openUploadsPerParty: 40, uploadBytesPerParty: 40_000_000 })
    north = await stage.party('north')
  })
  afterAll(async () => {
    await stage.close()
  })

  const bytesOf = (length: number) => new Uint8Array(randomBytes(length))
  const nameOf = (bytes: Uint8Array) => digest(domains.ciphertext, bytes)
  const create = (name: string, size: number, party = north) =>
    signedFetch(party.client.connection, {
      method: 'POST',
      path: '/v1/uploads',
      headers: {
        'tus-resumable': '1.0.0',
        'upload-length': String(size),
        'upload-metadata': `digest ${Buffer.from(name).toString('base64')}`,
      },
    })
  const append = (name: string, body: Uint8Array<ArrayBuffer>, offset: number, party = north) =>
    signedFetch(party.client.connection, {
      method: 'PATCH',
      path: `/v1/uploads/${name}`,
      body,
      headers: {
        'tus-resumable': '1.0.0',
        'upload-offset': String(offset),
        'content-type': 'application/offset+octet-stream',
      },
      upload: { offset, length: body.length },
    })
  const offsetOf = async (name: string) => {
    const response = await signedFetch(north.client.connection, {
      method: 'HEAD',
      path: `/v1/uploads/${name}`,
      headers: { 'tus-resumable': '1.0.0' },
    })
    return Number(response.headers.get('upload-offset'))
  }

  it('of several parts comes back as it went', async () => {
    const bytes = bytesOf(9_000_001)
    const name = await uploadBytes(north.client.connection, bytes)
    expect(name).toBe(nameOf(bytes))
    const folder = await mkdtemp(join(tmpdir(), 'sealroom-download-'))
    const file = await open(join(folder, 'blob'), 'w+')
    await downloadBlob(north.client.connection, file, { digest: name, size: bytes.length })
    await file.close()
    await rm(folder, { recursive: true })
  })

  it('that is there already is not sent again', async () => {
    const bytes = bytesOf(1000)
    await uploadBytes(north.client.connection, bytes)
    expect(await uploadBytes(north.client.connection, bytes)).toBe(nameOf(bytes))
  })

  it('cut off at any byte goes on from where it stands', async () => {
    const bytes = bytesOf(200_000)
    const name = nameOf(bytes)
    await create(name, bytes.length)
    for (let cut = 0; cut < 5; cut++)
      await sendCut(name, bytes, await offsetOf(name), Math.floor(Math.random() * 60_000))
    const middle = 1 + Math.floor(Math.random() * 100_000)
    await append(name, bytes.slice(0, middle), 0)
    expect(await offsetOf(name)).toBe(middle)
    await sendCut(name, bytes.slice(middle), middle, 1000)
    expect(await offsetOf(name)).toBe(middle)
    expect(await uploadBytes(north.client.connection, bytes)).toBe(name)
  })

  /** Sends a whole part's head and only some bytes of its body, then hangs up. */
  async function sendCut(
    name: string,
    part: Uint8Array<ArrayBuffer>,
    offset: number,
    sent: number,
  ): Promise<void> {
    const path = `/v1/uploads/${name}`
    const token = await createRequestToken(
      {
        aud: testOrigin,
        method: 'PATCH',
        path,
        iat: stage.clock.now(),
        jti: toBase64url(randomBytes(16)),
        body: bodyDigest(part),
        offset,
        length: part.length,
      },
      north.daemon,
    )
    const { hostname, port } = new URL(stage.url)
    const head = `PATCH ${path} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Sealroom ${token}\r\ntus-resumable: 1.0.0\r\nupload-offset: ${offset}\r\ncontent-type: application/offset+octet-stream\r\ncontent-length: ${part.length}\r\n\r\n`
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(head)
        socket.write(part.subarray(0, sent), () => {
          socket.destroy()
        })
      })
      socket.on('close', () => {
        resolve()
      })
    })
  }

  it('whose bytes are not those of its name is not kept', async () => {
    const bytes = bytesOf(5000)
    const name = nameOf(bytes)
    await create(name, bytes.length)
    const other = bytes.slice()
    other[4000] = (other[4000] ?? 0) ^ 1
    await append(name, other.slice(0, 3000), 0)
    await expect(append(name, other.slice(3000), 3000)).rejects.toMatchObject({
      problem: { code: 'UPLOAD_MISMATCH' },
    })
    await expect(offsetOf(name)).rejects.toThrow()
    expect(
      (await readdir(join(stage.folder, 'blobs', 'partial'))).filter((file) => file.startsWith(name)),
    ).toEqual([])
    expect(await uploadBytes(north.client.connection, bytes)).toBe(name)
  })

  it('is refused a part that is not the one that the token signed', async () => {
    const bytes = bytesOf(1000)
    const name = nameOf(bytes)
    await create(name, bytes.length)
    const path = `/v1/uploads/${name}`
    const token = await createRequestToken(
      {
        aud: testOrigin,
        method: 'PATCH',
        path,
        iat: stage.clock.now(),
        jti: toBase64url(randomBytes(16)),
        body: bodyDigest(bytes),
        offset: 0,
        length: 1000,
      },
      north.daemon,
    )
    const patch = async (offset: string, body: Uint8Array<ArrayBuffer>) => {
      const headers = {
        authorization: `Sealroom ${token}`,
        'tus-resumable': '1.0.0',
        'upload-offset': offset,
        'content-type': 'application/offset+octet-stream',
      }
      const response = await fetch(stage.url + path, { method: 'PATCH', body, headers })
      return ((await response.json()) as { code: string }).code
    }
    expect(await patch('1', bytes)).toBe('REQUEST_TOKEN_INVALID')
    expect(await patch('0', bytes.slice(1))).toBe('REQUEST_TOKEN_INVALID')
    const changed = bytes.slice()
    changed[0] = (changed[0] ?? 0) ^ 1
    expect(await patch('0', changed)).toBe('REQUEST_MALFORMED')
    expect(await offsetOf(name)).toBe(0)
  })

  const refusals: [name: string, act: (name: string) => Promise<unknown>, code: string][] = [
    ['a part at another offset', (name) => append(name, bytesOf(10), 5), 'UPLOAD_OFFSET'],
    ['a part beyond its end', (name) => append(name, bytesOf(101), 0), 'UPLOAD_OFFSET'],
    ['another size under the same name', (name) => create(name, 99), 'UPLOAD_MISMATCH'],
    ['creation twice', (name) => create(name, 100), 'UPLOAD_EXISTS'],
    ['more than a party may keep', () => create(nameOf(bytesOf(1)), 40_000_000), 'UPLOAD_QUOTA'],
    ['nothing', () => create(nameOf(bytesOf(1)), 0), 'UPLOAD_QUOTA'],
    ['a name that is no digest', () => create('../../etc/passwd', 10), 'REQUEST_MALFORMED'],
    [
      'a part of an upload that was never begun',
      () => append(nameOf(bytesOf(1)), bytesOf(1), 0),
      'UPLOAD_UNKNOWN',
    ],
  ]
  it.each(refusals)('is refused %s', async (_name, act, code) => {
    const name = nameOf(bytesOf(100))
    await create(name, 100)
    await expect(act(name)).rejects.toMatchObject({ problem: { code } })
  })

  it("of one party stands in no other party's way, and is not shown to it", async () => {
    const south = await stage.party('south')
    const bytes = bytesOf(3000)
    const name = nameOf(bytes)
    await create(name, 3000, south)
    await expect(offsetOf(name)).rejects.toThrow()
    expect(await uploadBytes(north.client.connection, bytes)).toBe(name)
    await expect(
      signedFetch(south.client.connection, { method: 'GET', path: `/v1/blobs/${name}` }),
    ).rejects.toMatchObject({ problem: { code: 'BLOB_UNKNOWN' } })
  })
})

describe('a range', () => {
  it.each([
    [undefined, 0, 99],
    ['bytes=0-', 0, 99],
    ['bytes=10-19', 10, 19],
    ['bytes=90-1000', 90, 99],
  ])('%s of 100 bytes is from %i to %i', (range, start, end) => {
    expect(parseRange(range, 100)).toEqual({ start, end })
  })
  it.each([
    'bytes=100-',
    'bytes=5-4',
    'bytes=-5',
    'bytes=0-1,5-6',
    'octets=0-1',
    'bytes=01-2',
    'bytes=0x1-2',
  ])('%s of 100 bytes is refused', (range) => {
    expect(() => parseRange(range, 100)).toThrow(expect.objectContaining({ code: 'RANGE_INVALID' }))
  })
})
