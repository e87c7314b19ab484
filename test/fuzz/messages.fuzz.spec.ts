import { EventEmitter } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signingKeyFromSeed, utf8, type SigningKey } from '#libs/canonical'
import { readAnswer } from '#libs/client'
import {
  assignmentSchema,
  checkpointSchema,
  contractViewSchema,
  createRequestToken,
  eventsSchema,
  postStatementSchema,
  runViewSchema,
  unverifiedTokenKey,
  verifyRequestToken,
} from '#libs/protocol'
import { seededBytes } from '#libs/testing'
import { parseLine, readLines } from '../../apps/agent/src/control/json-lines.js'
import { requestSchema } from '../../apps/agent/src/control/control-messages.js'
import { encodeSeed, parseDaemonSecrets } from '../../apps/agent/src/keys/key-ring.js'
import { openFile, sealFile } from '../../apps/agent/src/keys/sealed-file.js'
import { readBundle } from '../../apps/agent/src/runs/receipt-bundle.js'
import { Scene } from '../adversary/stage/owner-under-attack.js'
import { expectCodedOnly, mutated } from './coded-only.js'

let key: SigningKey
let scene: Scene
let folder: string
const now = Date.parse('2026-11-23T12:00:00.000Z')
const seen = {
  aud: 'log.test/1',
  method: 'GET' as const,
  path: '/v1/events?after=0',
  body: null,
  offset: null,
  length: null,
}
const claims = { ...seen, iat: now, jti: 'A'.repeat(22) }

beforeAll(async () => {
  key = await signingKeyFromSeed(seededBytes('fuzz')(32))
  scene = await (await Scene.begin()).toReleases()
  folder = await mkdtemp(join(tmpdir(), 'sealroom-fuzz-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

const junk = fc.oneof(
  fc.string({ maxLength: 300, unit: 'binary' }),
  fc.json(),
  fc.constantFrom('', '.', '..', '...', 'null', '[]', '{', '{"a":1,"a":2}'),
)

describe('request tokens', () => {
  it('of any text are refused with a code', async () => {
    await expectCodedOnly(junk, (token) => unverifiedTokenKey(token))
    await expectCodedOnly(junk, (token) => verifyRequestToken(token, key.publicKey, seen, now))
  })

  it('of the right key over mutated claims are refused with a code', async () => {
    await expectCodedOnly(mutated(claims), async (payload) => {
      const token = await createRequestToken(payload as typeof claims, key)
      await verifyRequestToken(token, key.publicKey, seen, now)
    })
  })

  it('with one character changed are never accepted', async () => {
    const token = await createRequestToken(claims, key)
    const changed = fc
      .tuple(fc.nat(token.length - 1), fc.constantFrom('A', 'C', 'x', 'z', '0', '9', '-', '_', '.'))
      .filter(([at, char]) => token[at] !== char)
    await fc.assert(
      fc.asyncProperty(changed, async ([at, char]) => {
        const other = token.slice(0, at) + char + token.slice(at + 1)
        await expect(verifyRequestToken(other, key.publicKey, seen, now)).rejects.toMatchObject({
          code: expect.any(String) as string,
        })
      }),
      { numRuns: 200 },
    )
  })
})

describe('answers of a coordinator', () => {
  const schemas = {
    assignmentSchema,
    checkpointSchema,
    contractViewSchema,
    eventsSchema,
    runViewSchema,
    postStatementSchema,
  }
  it.each(Object.keys(schemas) as (keyof typeof schemas)[])(
    'that are no %s end in ANSWER_INVALID',
    async (name) => {
      const bases: Record<string, unknown> = {
        assignmentSchema: { run: scene.coordinator.runView(), contract: scene.coordinator.contractView() },
        checkpointSchema: await scene.log.checkpoint([]),
        contractViewSchema: scene.coordinator.contractView(),
        runViewSchema: scene.coordinator.runView(),
        eventsSchema: {
          events: [{ cursor: 1, kind: 'run', contract: null, run: null, size: null, moment: null }],
          next: 1,
        },
        postStatementSchema: { statement: 'x' },
      }
      const answers = fc.oneof(
        junk,
        mutated(bases[name]).map((value) => JSON.stringify(value)),
      )
      // A schema of another message than the value's: what comes out is of its shape, or a code.
      await expectCodedOnly(answers, (text) =>
        readAnswer(new Response(text), schemas[name] as typeof checkpointSchema, '/v1/x'),
      )
    },
  )
})

describe('control socket lines', () => {
  it('of any bytes become a request, nothing, or the end of the connection', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 })
    await expectCodedOnly(chunks, (bytes) => {
      const socket = new EventEmitter() as EventEmitter & { destroy(): void }
      socket.destroy = () => undefined
      readLines(socket as never, (line) => requestSchema.safeParse(parseLine(line)))
      for (const chunk of bytes) socket.emit('data', Buffer.from(chunk))
      socket.emit('data', Buffer.from('\n'))
    })
    await expectCodedOnly(
      mutated({ id: 1, method: 'write', changes: [{ name: 'notes!x', value: 'AA' }], last: true }),
      (value) => {
        const read = requestSchema.safeParse(parseLine(JSON.stringify(value)))
        // What only the daemon counts is never written through the socket.
        if (read.success && read.data.method === 'write')
          for (const { name } of read.data.changes) expect(name).not.toMatch(/^(?:spends|spend-heads|runs)!/)
      },
    )
  })
})

describe('key store files', () => {
  it('that were altered anywhere never open, and say so with a code', async () => {
    const unlock = { kind: 'key-file' as const, key: new Uint8Array(32).fill(3) }
    const sealed = await sealFile(encodeSeed(new Uint8Array(32)), {
      kind: 'daemon',
      party: key.thumbprint,
      unlock,
      randomBytes: seededBytes('file'),
    })
    const bytes = typeof sealed === 'string' ? utf8(sealed) : sealed
    const altered = fc.oneof(
      fc.uint8Array({ maxLength: 500 }),
      fc
        .tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }))
        .map(([at, bits]) => bytes.map((byte, index) => (index === at ? byte ^ bits : byte))),
      fc.nat(bytes.length - 1).map((end) => bytes.slice(0, end)),
    )
    await expectCodedOnly(altered, (file) => openFile(file, { kind: 'daemon', unlock, where: 'a file' }))
  })

  it('that open on junk say so with a code', async () => {
    await expectCodedOnly(fc.oneof(fc.uint8Array({ maxLength: 300 }), junk.map(utf8)), (secret) =>
      parseDaemonSecrets(secret),
    )
  })
})

describe('receipt bundles', () => {
  it('of any content are refused with a code', async () => {
    const path = join(folder, 'bundle.json')
    const log = {
      origin: scene.log.origin,
      key: scene.log.key.publicKey.x,
      coordinatorKey: scene.log.coordinatorKey.publicKey.x,
    }
    const base = {
      sealroom: 'receipt-bundle/v1',
      log,
      contract: scene.coordinator.contractView(),
      run: scene.coordinator.runView(),
      checkpoint: await scene.log.checkpoint([]),
      inclusion: { index: 0, size: 1, proof: [] },
    }
    const texts = fc.oneof(
      junk,
      mutated(base).map((value) => JSON.stringify(value)),
    )
    await expectCodedOnly(texts, async (text) => {
      await writeFile(path, text)
      await readBundle(scene.agent, path)
    })
  })
})
