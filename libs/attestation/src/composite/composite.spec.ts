import { describe, expect, it } from 'vitest'
import { fromHex, utf8 } from '#libs/canonical'
import { sha256Hex } from '../x509/signature.node.js'
import type { EvidenceVerdict } from '../verdict.js'
import type { CompositeBinding } from './binding.js'
import { compositePart, type CompositePart } from './parts.js'
import { judgeComposite } from './production.js'

const nonce = new Uint8Array(32).fill(0x0e)
const nonceHex = '0e'.repeat(32)
const key = utf8('the key of this enclave')
const gpuDigest = fromHex(sha256Hex(utf8('the evidence of its GPU')))
const bound = sha256Hex(key, nonce, gpuDigest)

const verdict = (
  facts: EvidenceVerdict['facts'],
  changes: Partial<EvidenceVerdict> = {},
): EvidenceVerdict => ({
  ...{ authentic: true, production: true, refusal: null, reason: null, facts },
  ...changes,
})
const cpu = (
  reportData = `${bound}${'00'.repeat(32)}`,
  changes: Partial<EvidenceVerdict> = {},
): CompositePart =>
  compositePart('cpu', verdict({ report_data: reportData, tcb_status: 'UpToDate', mrtd: 'ab' }, changes))
const gpu = (nonces = [nonceHex, nonceHex], changes: Partial<EvidenceVerdict> = {}): CompositePart =>
  compositePart('gpu', verdict({ gpus: 2, nonces }, changes))
const bindings: readonly CompositeBinding[] = [
  { type: 'report-data', role: 'cpu', sha256Of: [key, nonce, gpuDigest], followedBy: null },
  { type: 'part-nonce', role: 'gpu' },
]
const judge = (parts: CompositePart[], required = bindings): EvidenceVerdict =>
  judgeComposite(parts, { nonce, bindings: required })
const forged: Partial<EvidenceVerdict> = { authentic: false, production: false, refusal: 'SIGNATURE_INVALID' }
const outdated: Partial<EvidenceVerdict> = { production: false, refusal: 'TCB_OUT_OF_DATE' }

describe('judgeComposite', () => {
  it('accepts a CPU and its GPUs, and tells of each', () => {
    expect(judge([cpu(), gpu()])).toEqual({
      ...{ authentic: true, production: true, refusal: null, reason: null },
      facts: {
        nonce: nonceHex,
        cpu: { tcb_status: 'UpToDate', report_data: `${bound}${'00'.repeat(32)}` },
        gpu: { gpus: 2 },
      },
    })
  })

  it('accepts a nonce in the clear after the digest', () => {
    const binding: CompositeBinding = { type: 'report-data', role: 'cpu', sha256Of: [key], followedBy: nonce }
    expect(judge([cpu(`${sha256Hex(key)}${nonceHex}`)], [binding]).production).toBe(true)
  })

  const refusedForBinding: [name: string, parts: CompositePart[], required?: readonly CompositeBinding[]][] =
    [
      ['report data of other evidence', [cpu(`${sha256Hex(key)}${'00'.repeat(32)}`), gpu()]],
      ['report data with something after the digest', [cpu(`${bound}${'00'.repeat(31)}01`), gpu()]],
      ['report data that is short', [cpu(bound), gpu()]],
      ['no report data', [compositePart('cpu', verdict({})), gpu()]],
      ['one GPU of several that was asked by another', [cpu(), gpu([nonceHex, '00'.repeat(32)])]],
      ['GPUs without a nonce', [cpu(), gpu([])]],
      ['no GPU', [cpu()]],
      ['two parts in one role', [cpu(), gpu(), gpu()]],
      ['nothing that binds', [cpu(), gpu()], []],
      ['no parts', [], []],
      [
        'more bound than report data holds',
        [cpu(), gpu()],
        [{ type: 'report-data', role: 'cpu', sha256Of: [key], followedBy: new Uint8Array(33) }],
      ],
    ]
  it.each(refusedForBinding.map(([name, parts, required = bindings]) => [name, parts, required] as const))(
    'refuses %s',
    (_name, parts, required) => {
      expect(judge(parts, required)).toMatchObject({ production: false, refusal: 'BINDING_MISMATCH' })
    },
  )

  it('reads the nonce of a part under the name that its kind has for it', () => {
    for (const name of ['nonce', 'eat_nonce'])
      expect(compositePart('part', verdict({ [name]: nonceHex })).nonces).toEqual([nonceHex])
    expect(compositePart('part', verdict({ nonces: [nonceHex, null, 7] })).nonces).toEqual([nonceHex, '', ''])
  })

  it('is as genuine as its weakest part', () => {
    expect(judge([cpu(), gpu(undefined, forged)])).toMatchObject({
      authentic: false,
      refusal: 'SIGNATURE_INVALID',
    })
    expect(judge([cpu(undefined, forged), gpu()])).toMatchObject({ authentic: false, production: false })
  })

  it('is as good as its weakest part', () => {
    expect(judge([cpu(undefined, outdated), gpu()])).toMatchObject({
      authentic: true,
      refusal: 'TCB_OUT_OF_DATE',
    })
  })
})
