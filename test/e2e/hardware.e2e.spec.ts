/** A run whose enclave is proven by evidence of hardware, through real processes; the hardware is made up, all else is as in the field. */
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fakeChipId, snpField } from '#libs/testing'
import { toHex } from '#libs/canonical'
import { programs, run as runProgram } from '../../demo/src/stack/processes.js'
import { HardwareRoom } from './hardware/hardware-room.js'

let room: HardwareRoom
let begun: HardwareRoom | null = null
beforeAll(async () => {
  room = begun = await HardwareRoom.begin()
}, 120_000)
afterAll(async () => {
  await begun?.end()
})

const hardware = `sev-snp; signed by a genoa VCEK`

describe('a run on SEV-SNP with a GPU', () => {
  let run: string

  it('completes, and gives the lab what two owners have', async () => {
    const ended = await room.run()
    expect(ended.state).toBe('completed')
    run = ended.run
    const lab = room.party('lab')
    await lab.must('run', 'result', run, '--out', lab.file('result'))
    const csv = await readFile(lab.file('result/result.csv'), 'utf8')
    expect(csv.trim().split(/\r?\n/)).toEqual(['ward,n,mean', 'ward 0,20,19.5', 'ward 1,20,20.5'])
  })

  it('says in run, receipt and audit which hardware stood behind it', async () => {
    const shown = await room.party('north').must('run', 'show', run)
    expect(shown['hardware']).toContain(hardware)
    expect(shown['hardware']).toContain('GPUs GH100')
    const lab = room.party('lab')
    const receipt = await lab.must('receipt', 'verify', run)
    expect(receipt).toMatchObject({ ok: true, simulated: false })
    expect(receipt['hardware']).toEqual([expect.stringContaining(hardware)])
    const filed = await lab.must('receipt', 'verify', lab.file('result/receipt.json'), '--offline')
    expect(filed).toMatchObject({ ok: true, hardware: receipt['hardware'] })
    const audited = await lab.must('audit', 'verify', '--contract', room.contract)
    const [report] = audited['contracts'] as [Record<string, unknown>]
    expect(report).toMatchObject({ holds: true, simulated: false })
    expect(report['hardware']).toEqual([`sev-snp; 1 GPU; measurement ${'3e'.repeat(48)}`])
  })

  it('is not believed by a program that knows no made-up maker', async () => {
    const lab = room.party('lab')
    const words = ['--home', lab.home, '--key-file', lab.file('daemon.unlock'), '--json']
    const { exit, stdout } = await runProgram([programs.sealroom, ...words, 'receipt', 'verify', run])
    expect(exit).toBe(1)
    expect(stdout).toContain('CHAIN_UNTRUSTED')
  })
})

describe('owners give nothing', () => {
  beforeAll(() => room.turnHostile(), 60_000)

  it.each<[string, string, () => void]>([
    [
      'to a guest in debug mode',
      'DEBUG_ENABLED',
      () => {
        room.machine.lie = ({ report }) => {
          report.set([51, 1, 0b1010], snpField.policy)
        }
      },
    ],
    [
      'to code of a lower privilege level',
      'vmpl',
      () => {
        room.machine.lie = ({ report }) => {
          report.set([2], snpField.vmpl)
        }
      },
    ],
  ])('%s', async (_, said, lie) => {
    lie()
    const { run, state } = await room.run()
    expect(state).toBe('refused')
    expect(await room.refusalBy('north', run)).toContain(said)
    await expectNothingGiven(run)
  })

  it('to a GPU that was asked for something else', async () => {
    room.machine.lie = () => undefined
    room.machine.relay = () => new Uint8Array(32)
    const { run, state } = await room.run()
    expect(state).toBe('refused')
    expect(await room.refusalBy('north', run)).toContain('BINDING_MISMATCH')
    await expectNothingGiven(run)
  })

  it('to a chip that its revoker revoked', async () => {
    room.machine.relay = (nonce) => nonce
    const words = ['--chip', toHex(fakeChipId('genoa')), '--reason', 'its key is out']
    await room.party('north').must('contract', 'revoke', room.contract, ...words)
    const { run, state } = await room.run()
    expect(state).toBe('refused')
    expect(await room.refusalBy('south', run)).toContain('a chip that is not revoked')
    await expectNothingGiven(run)
  })
})

async function expectNothingGiven(run: string): Promise<void> {
  const shown = await room.party('north').sealroom('run', 'show', run)
  const types = (shown.answer['statements'] as readonly { type: string }[]).map(({ type }) => type)
  for (const given of ['accept', 'spend', 'key-release']) expect(types).not.toContain(given)
}
