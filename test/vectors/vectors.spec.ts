import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { toBase64, toHex, utf8 } from '#libs/canonical'
import { nobleSeal } from '#libs/envelope/vectors'
import { vectorsFolder } from '#libs/testing'
import { leafHash, MerkleTree } from '#libs/translog'
import { runVectors, type RunResult } from './run.js'
import { sealingSuiteCases } from './sealing-suite.js'

const main = join(dirname(fileURLToPath(import.meta.url)), '../../dist/test/vectors/main.js')

async function run(...paths: readonly string[]): Promise<RunResult & { readonly lines: readonly string[] }> {
  const lines: string[] = []
  const result = await runVectors(paths, { print: (line) => lines.push(line), now: () => 0 })
  return { ...result, lines }
}

// The counts are those of the folder as it is; more files may only raise them.
const published: [folder: string, atLeast: number][] = [
  ['jcs-rfc8785', 42],
  ['hpke-rfc9180', 158],
  ['merkle-rfc6962', 98],
  ['ohttp-rfc9458', 84],
  ['wycheproof', 252],
]
if (existsSync(vectorsFolder)) {
  describe('published vectors', () => {
    it.each(published)('of %s pass, at least %i cases', async (folder, atLeast) => {
      const { lines, passed, failed } = await run(join(vectorsFolder, folder))
      expect(lines.filter((line) => line.startsWith('failed'))).toEqual([])
      expect(failed).toBe(0)
      expect(passed).toBeGreaterThanOrEqual(atLeast)
    })

    it('pass, all that lie in the folder', async () => {
      const { failed, notRecognised, emptyArguments } = await run(vectorsFolder)
      expect({ failed, notRecognised, emptyArguments }).toEqual({
        failed: 0,
        notRecognised: 0,
        emptyArguments: 0,
      })
    })
  })
} else {
  const cases = published.reduce((sum, [, atLeast]) => sum + atLeast, 0)
  test.skip(`${cases} cases of published vectors were not run: ${vectorsFolder} is absent`, () => undefined)
}

it.each(sealingSuiteCases(randomBytes))("the project's own HPKE suite: $id", async ({ see, expected }) => {
  expect(await see()).toBe(expected)
})

const tree = MerkleTree.fromLeafHashes([1, 2, 3, 4, 5].map((i) => leafHash(Uint8Array.of(i))))
const base64s = (hashes: readonly Uint8Array[]) => hashes.map(toBase64)
const included = {
  leafIdx: 3,
  treeSize: 5,
  root: toBase64(tree.root()),
  leafHash: toBase64(tree.leafHash(3)),
  proof: base64s(tree.proveInclusion(3, 5)),
  desc: 'happy path',
  wantErr: false,
}
const consistent = {
  size1: 3,
  size2: 5,
  root1: toBase64(tree.root(3)),
  root2: toBase64(tree.root(5)),
  proof: base64s(tree.proveConsistency(3, 5)),
  desc: 'happy path',
  wantErr: false,
}
// RFC 8032 §7.1, test 2.
const signed = {
  algorithm: 'EDDSA',
  testGroups: [
    {
      publicKey: {
        curve: 'edwards25519',
        pk: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      },
      tests: [
        {
          tcId: 7,
          msg: '72',
          sig: '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
          result: 'valid',
        },
      ],
    },
  ],
}
// RFC 5869 appendix A.1.
const expanded = {
  algorithm: 'HKDF-SHA-256',
  testGroups: [
    {
      tests: [
        {
          tcId: 1,
          ikm: '0b'.repeat(22),
          salt: '000102030405060708090a0b0c',
          info: 'f0f1f2f3f4f5f6f7f8f9',
          size: 42,
          okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
          result: 'valid',
        },
      ],
    },
  ],
}
const withResult = (file: typeof signed | typeof expanded, result: string) => ({
  ...file,
  testGroups: file.testGroups.map((group) => ({
    ...group,
    tests: group.tests.map((each) => ({ ...each, result })),
  })),
})
const chunked = (aead: string) => ({
  algorithm: aead === 'AEAD_AES_256_GCM' ? 'Cobblestone-256' : 'Cobblestone-128',
  testGroups: [
    {
      aead,
      tests: [
        {
          tcId: 1,
          key: '11'.repeat(32),
          ctx: '',
          // Not packed by zlib, as a file of the format would have it.
          ct: toHex(nobleSeal(new Uint8Array(32).fill(0x11), new Uint8Array(24), utf8(''), utf8('x'))),
          msgLength: 1,
          result: 'valid',
        },
      ],
    },
  ],
})

describe('the runner', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vectors-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })
  const write = (path: string, content: unknown): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    const bytes =
      typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content)
    writeFileSync(join(folder, path), bytes)
  }
  const pair = (input: string, output: string) => {
    write('td/input/any.json', input)
    write('td/output/any.json', output)
  }

  const passing: [name: string, content: unknown, cases: number][] = [
    ['an inclusion proof', included, 1],
    ['a consistency proof', consistent, 1],
    ['an array of both', [included, consistent], 2],
    ['a proof that must be refused and is', { ...included, leafIdx: 2, wantErr: true }, 1],
    ['a count beyond 2^53 that must be refused', { ...included, treeSize: 2 ** 64, wantErr: true }, 1],
    [
      'a root that is no hash and must be refused',
      { ...consistent, size1: 0, root2: 'AAAA', proof: [], wantErr: true },
      1,
    ],
    ['a signature', signed, 1],
    ['an acceptable signature', withResult(signed, 'acceptable'), 1],
    ['derived bytes', expanded, 1],
  ]
  it.each(passing)('passes %s, whatever the file is called', async (_name, content, cases) => {
    write('deep/down/q.json', content)
    expect(await run(folder)).toMatchObject({ passed: cases, failed: 0, notUsed: 0, emptyArguments: 0 })
  })

  const failing: [name: string, content: unknown, expected: string, seen: string][] = [
    ['a wantErr case that verifies', { ...included, wantErr: true }, 'refused', 'accepted'],
    ['a proof that should verify and does not', { ...included, leafIdx: 2 }, 'accepted', 'refused'],
    ['a wantErr consistency that verifies', { ...consistent, wantErr: true }, 'refused', 'accepted'],
    ['an invalid signature that verifies', withResult(signed, 'invalid'), 'refused', 'accepted'],
    ['invalid bytes that are derived', withResult(expanded, 'invalid'), 'refused', 'accepted'],
  ]
  it.each(failing)('fails %s, with file, case, expected and seen', async (_name, content, expected, seen) => {
    write('q.json', content)
    const { lines, passed, failed } = await run(folder)
    expect([passed, failed]).toEqual([0, 1])
    const at = lines.findIndex((line) => line.startsWith(`failed: ${join(folder, 'q.json')}, `))
    expect(lines.slice(at + 1, at + 3)).toEqual([`  expected ${expected}`, `  seen     ${seen}`])
  })

  const malformed: [name: string, path: string, content: unknown][] = [
    ['half a JSON', 'q.json', '{"algorithm":"EDDSA","testGroups":['],
    ['a Wycheproof file without groups', 'q.json', { algorithm: 'EDDSA', testGroups: [] }],
    ['a Wycheproof file without a test', 'q.json', { algorithm: 'AES-GCM', testGroups: [{ tests: [] }] }],
    ['a result of another word', 'q.json', withResult(signed, 'fine')],
    ['an inclusion proof without a root', 'q.json', { ...included, root: undefined }],
    ['a proof without an expectation', 'q.json', { ...included, wantErr: undefined }],
    ['base64 that is none', 'q.json', { ...included, root: '*' }],
    ['an HPKE vector without a key', 'q.json', [{ mode: 0, kem_id: 32, kdf_id: 1, aead_id: 1 }]],
    ['a ciphertext that cannot be unpacked', 'q.json', chunked('AEAD_AES_256_GCM')],
    ['a line that is no number', 'q.csv', '0,0\n8000000000000000,zero\n'],
    ['an input without an output', 'td/input/any.json', '{}'],
  ]
  it.each(malformed)('fails %s and goes on', async (_name, path, content) => {
    if (path.startsWith('td')) mkdirSync(join(folder, 'td/output'), { recursive: true })
    write(path, content)
    write('z.json', included)
    const { passed, failed, emptyArguments } = await run(folder)
    expect(failed).toBe(1)
    expect(passed).toBeGreaterThanOrEqual(1)
    expect(emptyArguments).toBe(0)
  })

  it('compares canonical JSON byte for byte', async () => {
    pair('{"b":1, "a":2.0}', '{"a":2,"b":1}')
    expect(await run(folder)).toMatchObject({ passed: 2, failed: 0, notRecognised: 0 })
    pair('{"b":1, "a":2.0}', '{"a":2,"b":1}\n')
    expect((await run(folder)).failed).toBe(2)
  })

  it('reads tables of numbers with and without a heading, packed and not', async () => {
    const lines =
      '4340000000000001,9007199254740994\n444b1ae4d6e2ef50,1e+21\n0,0\n7ff0000000000000,,Infinity\n'
    write('es6.txt', lines)
    write('b.csv', `ieee754_hex,json_string,comment\n${lines}`)
    write('packed', gzipSync(lines))
    expect(await run(folder)).toMatchObject({ passed: 12, failed: 0 })
    write('es6.txt', lines.replace('1e+21', '1e21'))
    expect((await run(folder)).failed).toBe(1)
  })

  const notUsed: [name: string, content: unknown][] = [
    ['an algorithm that nobody knows', { ...signed, algorithm: 'ROT13' }],
    ['an algorithm called like a member of every object', { ...signed, algorithm: 'constructor' }],
    [
      'another curve',
      {
        algorithm: 'EDDSA',
        testGroups: [{ publicKey: { curve: 'edwards448', pk: '00' }, tests: [{ tcId: 1 }] }],
      },
    ],
    ['another chunked cipher', chunked('AEAD_AES_128_GCM')],
    [
      'a length of key',
      { algorithm: 'AES-GCM', testGroups: [{ keySize: 128, ivSize: 96, tagSize: 128, tests: [{}] }] },
    ],
    ['a cut tag', { algorithm: 'HMACSHA256', testGroups: [{ tagSize: 128, tests: [{}] }] }],
    [
      'roots that are no hashes',
      { ...consistent, size1: 0, size2: 0, root1: 'AAAA', root2: 'AAAA', proof: null },
    ],
    ['a proof of another form', { start: 1, end: 2, proof: [], wantErr: true }],
  ]
  it.each(notUsed)('does not use %s, says so, and counts it as nothing else', async (_name, content) => {
    write('q.json', content)
    const { lines, passed, failed, notUsed: apart, emptyArguments } = await run(folder)
    expect([passed, failed, apart, emptyArguments]).toEqual([0, 0, 1, 0])
    expect(lines.filter((line) => line.startsWith(`not used: ${join(folder, 'q.json')}, `))).toHaveLength(1)
  })

  it('takes an argument without vectors for an error, and says what it looked for', async () => {
    write('README.md', 'vectors')
    write('index.json', {})
    write('other.json', { hello: 1 })
    const { lines, emptyArguments, notRecognised } = await run(folder, join(folder, 'absent'))
    expect([emptyArguments, notRecognised]).toEqual([2, 1])
    expect(lines).toContain(`not recognised: ${join(folder, 'other.json')}`)
    expect(lines.join('\n')).toContain('looked for')
  })

  it('counts what goes wrong inside a case as a failure of that case', async () => {
    write('q.json', { any: 1 })
    const kind = {
      name: 'any',
      looksFor: 'anything',
      recognise: () => ({
        cases: () => [
          {
            id: 'crash',
            expected: 'refused',
            see: () => {
              throw new TypeError('not a coded error')
            },
          },
          { id: 'fine', expected: 'same', see: () => 'same' },
        ],
      }),
    }
    const lines: string[] = []
    let time = 0
    const options = { print: (line: string) => lines.push(line), now: () => (time += 6000), kinds: [kind] }
    expect(await runVectors([folder], options)).toMatchObject({ passed: 1, failed: 1 })
    expect(lines).toContain('  seen     thrown: TypeError: not a coded error')
    expect(lines).toContain(`${join(folder, 'q.json')}: 1 cases so far`)
  })

  describe('as a command', () => {
    const command = (...paths: readonly string[]) =>
      spawnSync(process.execPath, [main, ...paths], { encoding: 'utf8' })
    const lastLine = (text: string) => text.trimEnd().split('\n').at(-1)

    it('ends with 0, 1 or 2, and its last line counts', () => {
      write('good/q.json', included)
      write('bad/q.json', { ...included, wantErr: true })
      write('none/README', '')
      const codes = ['good', 'bad', 'none'].map((name) => command(join(folder, name)))
      expect(codes.map(({ status }) => status)).toEqual([0, 1, 2])
      expect(codes.map(({ stdout }) => lastLine(stdout))).toEqual([
        '1 passed, 0 failed',
        '0 passed, 1 failed',
        '0 passed, 0 failed',
      ])
    })

    it('explains itself where no folder is given', () => {
      const { status, stderr } = command()
      expect(status).toBe(2)
      expect(stderr).toContain('usage: npm run vectors -- DIR')
    })
  })

  if (existsSync(vectorsFolder)) {
    const flips: [file: string, flip: (text: string) => string][] = [
      ['hpke-rfc9180/vectors.json', (text) => text.replace(/("exported_value":\s*")(.)/, flipDigit)],
      ['hpke-rfc9180/vectors.json', (text) => text.replace(/("ct":\s*")(.)/, flipDigit)],
      ['hpke-rfc9180/vectors.json', (text) => text.replace(/("shared_secret":\s*")(.)/, flipDigit)],
      ['ohttp-rfc9458/vector.json', (text) => text.replace(/("bhttp_response":\s*")(.)/, flipDigit)],
      ['ohttp-rfc9458/vector.json', (text) => text.replace(/("bhttp_request":\s*")(.)/, flipDigit)],
      ['wycheproof/ed25519_test.json', (text) => text.replace(/"result":\s*"valid"/, '"result": "invalid"')],
      ['wycheproof/ed25519_test.json', (text) => text.replace(/"result":\s*"invalid"/, '"result": "valid"')],
      [
        'wycheproof/c2sp_chunked_encryption_aes_256_gcm_test.json',
        (text) => text.replace(/("msgSha512":\s*")(.)/, flipDigit),
      ],
      ['jcs-rfc8785/appendix_b.csv', (text) => text.replace('5e-324', '6e-324')],
    ]
    it.each(flips)('fails %s with one expected value flipped', async (file, flip) => {
      const text = readFileSync(join(vectorsFolder, file), 'utf8')
      const flipped = flip(text)
      expect(flipped).not.toBe(text)
      write(`other-name.${file.split('.').at(-1)}`, flipped)
      expect((await run(folder)).failed).toBeGreaterThan(0)
    })

    it('fails canonical JSON with one byte of an output changed', async () => {
      cpSync(join(vectorsFolder, 'jcs-rfc8785/testdata'), join(folder, 'td'), { recursive: true })
      rmSync(join(folder, 'td/output/french.json'))
      write('td/output/french.json', '{}')
      expect((await run(folder)).failed).toBeGreaterThan(0)
    })
  }
})

function flipDigit(_whole: string, before: string, digit: string): string {
  return `${before}${digit === '0' ? '1' : '0'}`
}
