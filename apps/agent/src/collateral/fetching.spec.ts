import { createServer, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fromUtf8, toBase64, toHex, utf8 } from '#libs/canonical'
import {
  collateralAskOf,
  collateralFileName,
  type Collateral,
  type CollateralAsk,
  type Generation,
} from '#libs/attestation'
import { aClock, FakeAmd, FakeIntel, FakeTokenIssuer, snpField } from '#libs/testing'
import { Person } from '../testing/person.js'
import { collateralSourceOf, fetchCollateral, type Around, type CollateralHosts } from './fetching.js'
import { CollateralFolder } from './folder.js'

const now = aClock().now()
const service = new FakeTokenIssuer('RS256')
const issuer = 'https://service.test'
const tokenNaming = (iss: string) => utf8(service.make(service.draft(now, { iss })))
const amd = new FakeAmd()
const intel = new FakeIntel()
const forgery = amd.draft(now)
forgery.crl = amd.draftList(forgery)
const snp = amd.make(forgery)
const tdx = intel.make(intel.draft(now))
const askOf = (kind: 'sev-snp' | 'tdx' | 'gcp-cs', bytes: Uint8Array): CollateralAsk =>
  collateralAskOf({ kind, bytes }) ?? expect.fail('asks for nothing')
const snpAsk = askOf('sev-snp', snp.report)
const manifestAsk = { kind: 'gpu-manifest', id: 'NV_GPU_DRIVER_GH100_550.90.07' } as const
const tdxAsk = askOf('tdx', tdx.quote)

/** Answers by path; what a test puts here instead comes first. */
const lies = new Map<string, (response: ServerResponse) => void>()
const asked: string[] = []
let server: Server
let hosts: CollateralHosts
let folder: string

const file = (name: string): Uint8Array => tdx.collateral[name] ?? expect.fail(`no ${name}`)
const chainText = (name: string): string => encodeURIComponent(fromUtf8(file(name)))
const signed = (name: string, as: string): string =>
  `{"${as}":${fromUtf8(file(name))},"signature":"${toHex(file(`${name}_signature`))}"}`

function answer(path: string, response: ServerResponse): void {
  const lie = lies.get(path)
  if (lie !== undefined) lie(response)
  else if (path === '/keys') response.end(service.keySet())
  else if (path === '/vcek/v1/Genoa/cert_chain') response.end(snp.chain)
  else if (path === '/vcek/v1/Genoa/crl') response.end(snp.crl)
  else if (path === `/vcek/v1/Genoa/${'c1'.repeat(64)}`) response.end(snp.vek)
  else if (path === '/tdx/certification/v4/tcb')
    response
      .setHeader('TCB-Info-Issuer-Chain', chainText('tcb_info_issuer_chain'))
      .end(signed('tcb_info', 'tcbInfo'))
  else if (path === '/tdx/certification/v4/qe/identity')
    response
      .setHeader('SGX-Enclave-Identity-Issuer-Chain', chainText('qe_identity_issuer_chain'))
      .end(signed('qe_identity', 'enclaveIdentity'))
  else if (path === '/sgx/certification/v4/pckcrl')
    response.setHeader('SGX-PCK-CRL-Issuer-Chain', chainText('pck_crl_issuer_chain')).end(file('pck_crl'))
  else if (path === '/IntelSGXRootCA.der') response.end(file('root_ca_crl'))
  else if (path === `/v1/rim/${manifestAsk.id}`)
    response.end(JSON.stringify({ rim: toBase64(utf8('a manifest')) }))
  else response.writeHead(404).end()
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    asked.push(`${url.pathname}${url.search}`)
    answer(url.pathname, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  hosts = {
    amd: origin,
    intel: origin,
    intelRoot: origin,
    nvidia: origin,
    keySets: { [issuer]: `${origin}/keys` },
  }
  folder = await mkdtemp(join(tmpdir(), 'sealroom-collateral-'))
})

beforeEach(() => {
  lies.clear()
  asked.length = 0
})

afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})

const hexOf = (files: Readonly<Record<string, Uint8Array>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, toHex(bytes)]))
const fetchHere = (ask: CollateralAsk) => fetchCollateral(hosts, ask, new AbortController().signal)

describe('fetched collateral', () => {
  it('of SEV-SNP is the certificate of chip and TCB, its chain and the list', async () => {
    const { vek, chain, crl = expect.fail('no list') } = snp
    expect(hexOf(await fetchHere(snpAsk))).toEqual(hexOf({ vek, chain, crl }))
    expect(asked).toContain(`/vcek/v1/Genoa/${'c1'.repeat(64)}?blSPL=04&teeSPL=01&snpSPL=24&ucodeSPL=219`)
  })

  it('of a GPU is NVIDIA’s manifest of one driver or VBIOS', async () => {
    const fetched = await fetchHere(manifestAsk)
    expect(hexOf(fetched)).toEqual(hexOf({ gpu_rim_driver_gh100_550_90_07: utf8('a manifest') }))
  })

  it.each(['no JSON', '{}', '{"rim":5}', '{"rim":"*"}'])(
    'of a GPU is none where the service answers %j',
    async (told) => {
      lies.set(`/v1/rim/${manifestAsk.id}`, (response) => response.end(told))
      await expect(fetchHere(manifestAsk)).rejects.toMatchObject({ code: 'COLLATERAL_UNREACHABLE' })
    },
  )

  it('of a GPU is none where a site named mirrors, and none of NVIDIA’s', async () => {
    const fetched = fetchCollateral({ ...hosts, nvidia: null }, manifestAsk, new AbortController().signal)
    await expect(fetched).rejects.toMatchObject({ code: 'COLLATERAL_UNREACHABLE' })
    expect(asked).toEqual([])
  })

  it('of TDX is what Intel signed, byte for byte, with chains and lists', async () => {
    expect(hexOf(await fetchHere(tdxAsk))).toEqual(hexOf(tdx.collateral))
    expect(asked).toContain('/tdx/certification/v4/tcb?fmspc=b0c06f000000')
    expect(asked).toContain('/sgx/certification/v4/pckcrl?ca=platform&encoding=der')
  })

  it.each<[string, CollateralAsk, string, (response: ServerResponse) => void]>([
    ['a redirect', snpAsk, '/vcek/v1/Genoa/crl', (r) => r.writeHead(302, { location: '/other' }).end()],
    ['an error', snpAsk, '/vcek/v1/Genoa/crl', (r) => r.writeHead(500).end()],
    ['too much', snpAsk, '/vcek/v1/Genoa/crl', (r) => r.end(Buffer.alloc(600_000))],
    ['a broken connection', snpAsk, '/vcek/v1/Genoa/crl', (r) => r.destroy()],
    ['an unsigned answer', tdxAsk, '/tdx/certification/v4/tcb', (r) => r.end('{"tcbInfo":{}}')],
    ['an answer that is no text', tdxAsk, '/tdx/certification/v4/tcb', (r) => r.end(Buffer.of(0xff))],
    [
      'a chain that is not encoded',
      tdxAsk,
      '/sgx/certification/v4/pckcrl',
      (r) => r.setHeader('SGX-PCK-CRL-Issuer-Chain', '%zz').end('x'),
    ],
    ['no chain', tdxAsk, '/sgx/certification/v4/pckcrl', (r) => r.end('x')],
  ])('is refused for %s', async (_, ask, path, lie) => {
    lies.set(path, lie)
    await expect(fetchHere(ask)).rejects.toMatchObject({ code: 'COLLATERAL_UNREACHABLE' })
    expect(asked).not.toContain('/other')
  })

  it('is refused where all of it is more than an Accept can carry', async () => {
    for (const path of ['/vcek/v1/Genoa/crl', '/vcek/v1/Genoa/cert_chain'])
      lies.set(path, (response) => response.end(Buffer.alloc(500_000)))
    await expect(fetchHere(snpAsk)).rejects.toMatchObject({ code: 'COLLATERAL_UNREACHABLE' })
  })

  it.each<[string, Partial<Extract<CollateralAsk, { kind: 'sev-snp' }>>]>([
    ['a VLEK', { key: 'VLEK' }],
    ['a processor without a name', { generation: null }],
    ['a chip that hides itself', { chipId: '00'.repeat(64) }],
  ])('is not asked for at all for %s', async (_, change) => {
    const ask = { ...snpAsk, ...change } as CollateralAsk
    await expect(fetchHere(ask)).rejects.toMatchObject({ code: 'COLLATERAL_UNREACHABLE' })
    expect(asked).toEqual([])
  })
})

const config = { version: 1, name: 'north', party: '', coordinator: '', log: {} } as never
const sourceIn = (path: string, fetchFrom: CollateralHosts | null, around: Partial<Around> = {}) =>
  collateralSourceOf(
    fetchFrom === null ? config : ({ ...(config as object), collateral: { fetchFrom } } as never),
    path,
    { now: Date.now, report: () => undefined, signal: new AbortController().signal, ...around },
  )

describe('the source of an agent', () => {
  it('fetches nothing where the configuration names no service', async () => {
    expect(await sourceIn(join(folder, 'none'), null).find(snpAsk)).toBeUndefined()
    expect(asked).toEqual([])
  })

  it('fetches once, and answers from its folder afterwards, also without a service', async () => {
    const path = join(folder, 'once')
    const source = sourceIn(path, hosts)
    const first = await source.find(tdxAsk)
    asked.length = 0
    expect(await source.find(tdxAsk)).toEqual(first)
    expect(await sourceIn(path, null).find(tdxAsk)).toEqual(first)
    expect(asked).toEqual([])
  })

  it('fetches anew what has become old or was damaged, and keeps the old where nothing comes', async () => {
    const path = join(folder, 'again')
    const reports: string[] = []
    const source = sourceIn(path, hosts, { report: ({ what }) => reports.push(what) })
    const first = await source.find(snpAsk)
    const kept = join(path, collateralFileName(snpAsk))
    await utimes(kept, new Date(0), new Date(0))
    lies.set('/vcek/v1/Genoa/crl', (response) => response.writeHead(503).end())
    expect(await source.find(snpAsk)).toEqual(first)
    expect(reports).toEqual(['collateral not fetched'])
    for (const damage of ['', '[', '[]', '[{"vek":"*"}]', '{"vek":""}', '[{"../vek":""}]']) {
      await writeFile(kept, damage)
      expect(await source.find(snpAsk)).toBeUndefined()
    }
    lies.clear()
    expect(await source.find(snpAsk)).toEqual(first)
    expect(await new CollateralFolder(path).find(snpAsk)).toEqual(first)
    expect(await readdir(path)).toHaveLength(1)
  })
})

describe('collateral that was replaced since', () => {
  const day = 86_400_000
  const roots: { amd: Record<Generation, string[]>; intel: string[] } = {
    amd: { milan: [], genoa: [], turin: [] },
    intel: [],
  }
  const publish = (daysAgo: number): Collateral => {
    const draft = amd.draft(now)
    draft.crl = { ...amd.draftList(draft), from: now - daysAgo * day }
    const { vek, chain, crl = expect.fail('no list'), root } = amd.make(draft)
    roots.amd.genoa.push(root)
    return { vek, chain, crl }
  }
  const serve = ({ vek, chain, crl }: Collateral): void => {
    lies.set('/vcek/v1/Genoa/crl', (response) => response.end(crl))
    lies.set('/vcek/v1/Genoa/cert_chain', (response) => response.end(chain))
    lies.set(`/vcek/v1/Genoa/${'c1'.repeat(64)}`, (response) => response.end(vek))
  }
  /** Answers for each of what is served in turn, every time long after the last. */
  const foundOf = async (name: string, served: readonly Collateral[], reports: string[] = []) => {
    const path = join(folder, name)
    const source = sourceIn(path, hosts, {
      now: () => now,
      roots,
      report: ({ code }) => reports.push(String(code)),
    })
    const found: unknown[] = []
    for (const files of served) {
      serve(files)
      found.push(hexOf((await source.find(snpAsk)) ?? {}))
      await utimes(join(path, collateralFileName(snpAsk)), new Date(0), new Date(0))
    }
    return found
  }
  const rubbish = { vek: utf8('a'), chain: utf8('b'), crl: utf8('c') }

  it('does not come back by a service or its mirror, nor by way of rubbish', async () => {
    const [older, newer] = [publish(10), publish(1)]
    const reports: string[] = []
    const found = await foundOf('rollback', [older, newer, older, rubbish, older], reports)
    expect(found).toEqual([older, newer, newer, newer, newer].map(hexOf))
    expect(reports).toEqual(Array(3).fill('COLLATERAL_OLDER'))
  })

  it('makes room for what is genuine where rubbish is kept', async () => {
    const older = publish(10)
    expect(await foundOf('healed', [rubbish, older])).toEqual([rubbish, older].map(hexOf))
  })

  it('is fetched anew where its file says that it is of tomorrow', async () => {
    const path = join(folder, 'tomorrow')
    const [older, newer] = [publish(10), publish(1)]
    const source = sourceIn(path, hosts, { roots })
    serve(older)
    await source.find(snpAsk)
    const tomorrow = new Date(Date.now() + day)
    await utimes(join(path, collateralFileName(snpAsk)), tomorrow, tomorrow)
    serve(newer)
    expect(hexOf((await source.find(snpAsk)) ?? {})).toEqual(hexOf(newer))
  })

  it('is used where the disk takes nothing', async () => {
    const path = join(folder, 'no-folder')
    await writeFile(path, '')
    const reports: string[] = []
    const source = sourceIn(join(path, 'below'), hosts, { report: ({ what }) => reports.push(what) })
    expect(hexOf((await source.find(tdxAsk)) ?? {})).toEqual(hexOf(tdx.collateral))
    expect(reports).toEqual(['collateral not kept'])
  })
})

describe('a fetched key set', () => {
  it('is that of the service which the token names, where that one is configured', async () => {
    const fetched = await fetchHere(askOf('gcp-cs', tokenNaming(issuer)))
    expect(hexOf(fetched)).toEqual(hexOf({ jwks: service.keySet() }))
    expect(asked).toEqual(['/keys'])
  })

  it.each(['https://service.test/', 'http://127.0.0.1:1', '__proto__', 'toString'])(
    'is asked for nowhere where the token names %s, and no address is taken from it',
    async (other) => {
      const forgery = service.draft(now, { iss: other })
      Object.assign(forgery.header, { jku: `${hosts.amd}/keys`, x5u: `${hosts.amd}/keys` })
      const ask = askOf('gcp-cs', utf8(service.make(forgery)))
      await expect(fetchHere(ask)).rejects.toMatchObject({ code: 'COLLATERAL_UNREACHABLE' })
      expect(asked).toEqual([])
      expect(collateralFileName(ask)).toMatch(/^jwks-[0-9a-f]{32}\.json$/)
    },
  )

  it('is kept by the daemon for exactly the issuers of its configuration', async () => {
    const { amd: origin } = hosts
    const fetchFrom = { amd: origin, intel: origin, intelRoot: origin }
    let later = 0
    const around: Around = {
      now: () => Date.now() + later,
      report: () => undefined,
      signal: new AbortController().signal,
    }
    const config = { collateral: { fetchFrom, keySets: { [issuer]: `${origin}/keys` } } } as never
    const path = join(folder, 'keys')
    await mkdir(path)
    const source = collateralSourceOf(config, path, around)
    expect(await source.find(askOf('gcp-cs', tokenNaming('https://other.test')))).toBeUndefined()
    const ask = askOf('gcp-cs', tokenNaming(issuer))
    expect(hexOf((await source.find(ask)) ?? {})).toEqual(hexOf({ jwks: service.keySet() }))
    expect(hexOf((await new CollateralFolder(path).find(ask)) ?? {})).toEqual(
      hexOf({ jwks: service.keySet() }),
    )
    await source.find(ask)
    expect(asked).toEqual(['/keys'])
    // A service may sign with a new key at any time.
    later = 6 * 60_000
    await source.find(ask)
    expect(asked).toEqual(['/keys', '/keys'])
  })

  it('is put into a folder by the command, for a token of a service that is given', async () => {
    const person = await Person.make('token-fetcher', () => now)
    try {
      const token = person.file('token.jwt')
      const confidentialSpace = 'https://confidentialcomputing.googleapis.com'
      await writeFile(token, tokenNaming(confidentialSpace))
      const words = ['attest', 'fetch-collateral', token, '--into', person.file('stick')]
      const given = ['--issuer', confidentialSpace, '--key-set', `${hosts.amd}/keys`]
      expect(await person.saysBare(...words, ...given)).toMatchObject({ exit: 0 })
      expect((await person.saysBare(...words, '--issuer', issuer)).exit).toBe(2)
    } finally {
      await rm(person.folder, { recursive: true })
    }
  })
})

describe('a folder of collateral', () => {
  it('holds a thousand files, whatever else lies in it', async () => {
    const path = join(folder, 'many')
    await mkdir(path)
    await symlink('nowhere', join(path, 'gone.json'))
    await Promise.all(Array.from({ length: 1000 }, (_, n) => writeFile(join(path, `tdx-${n}.json`), '')))
    const kept = new CollateralFolder(path)
    await kept.keep(tdxAsk, tdx.collateral)
    expect(await readdir(path)).toHaveLength(1000)
    expect(hexOf((await kept.find(tdxAsk)) ?? {})).toEqual(hexOf(tdx.collateral))
  })

  it('takes nothing from a file without an end', async () => {
    const path = join(folder, 'endless')
    await mkdir(path)
    await symlink('/dev/zero', join(path, collateralFileName(tdxAsk)))
    expect(await new CollateralFolder(path).find(tdxAsk)).toBeUndefined()
  })
})

describe('sealroom attest fetch-collateral', () => {
  it('fills a folder from a report, without a home', async () => {
    const person = await Person.make('fetcher', () => now)
    try {
      const report = person.file('report.bin')
      await writeFile(report, snp.report)
      const into = person.file('stick')
      const words = ['attest', 'fetch-collateral', report, '--into', into, '--amd', hosts.amd]
      const said = await person.saysBare(...words, '--kind', 'sev-snp')
      expect(said).toMatchObject({ exit: 0 })
      expect(await new CollateralFolder(into).find(snpAsk)).toMatchObject({ crl: snp.crl })
      expect((await person.saysBare(...words, '--kind', 'nitro')).exit).toBe(2)
      expect((await person.saysBare(...words, '--kind', 'sgx')).exit).toBe(2)
      await writeFile(report, snp.report.subarray(0, snpField.signature))
      expect((await person.saysBare(...words, '--kind', 'sev-snp')).exit).toBe(1)
    } finally {
      await rm(person.folder, { recursive: true })
    }
  })

  it('puts what a provider handed over where the daemon looks for it', async () => {
    const draft = amd.draft(now)
    // Bits 2 to 4 of KEY_INFO: a VLEK signed.
    draft.report[snpField.keyInfo] = 1 << 2
    const { report } = amd.make(draft)
    const ask = askOf('sev-snp', report)
    const person = await Person.make('provided', () => now)
    try {
      const given = person.file('given')
      await mkdir(given)
      await writeFile(person.file('report.bin'), report)
      const words = ['attest', 'fetch-collateral', person.file('report.bin'), '--from', given]
      expect((await person.saysBare(...words, '--into', person.file('stick'))).exit).toBe(2)
      await Promise.all(
        Object.entries({ vek: snp.vek, chain: snp.chain, crl: snp.crl ?? utf8('') }).map(([name, bytes]) =>
          writeFile(join(given, `${name}.der`), bytes),
        ),
      )
      expect(await person.saysBare(...words, '--into', person.file('stick'))).toMatchObject({ exit: 0 })
      const kept = await new CollateralFolder(person.file('stick')).find(ask)
      expect(hexOf(kept ?? {})).toEqual(hexOf({ vek: snp.vek, chain: snp.chain, crl: snp.crl ?? utf8('') }))
      expect(asked).toEqual([])
    } finally {
      await rm(person.folder, { recursive: true })
    }
  })
})
