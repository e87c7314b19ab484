/** What Intel publishes of a platform, and what a PCK certificate says of it. */
import { fromHex } from '#libs/canonical'
import { der, derInteger, derOctets, derOid, derSequence } from './der-writer.js'
import { qeSigner } from './fake-quote.js'

/** The platform that a PCK certificate names. */
export interface FakePlatform {
  fmspc: string
  pceId: string
  components: number[]
  pceSvn: number
}

/** The id of the extension that {@link platformExtension} makes. */
export const sgxExtension = '1.2.840.113741.1.13.1'
const zeros = (bytes: number): string => '00'.repeat(bytes)
const components = (svn: number) => Array.from({ length: 16 }, () => ({ svn }))

/** The PCK extension that names a platform. */
export function platformExtension({ fmspc, pceId, components, pceSvn }: FakePlatform): Uint8Array {
  const field = (id: string, value: Uint8Array) => derSequence(derOid(`${sgxExtension}.${id}`), value)
  const levels = [
    ...components.map((svn, n) => field(`2.${n + 1}`, derInteger(svn))),
    field('2.17', derInteger(pceSvn)),
    field('2.18', derOctets(Uint8Array.from(components))),
  ]
  return derSequence(
    field('1', derOctets(new Uint8Array(16))),
    field('2', derSequence(...levels)),
    field('3', derOctets(fromHex(pceId))),
    field('4', derOctets(fromHex(fmspc))),
    field('5', der(0x0a, Uint8Array.of(1))),
  )
}

function published({ from, until }: { from: number; until: number }): Record<string, unknown> {
  const text = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`
  return { issueDate: text(from), nextUpdate: text(until), tcbEvaluationDataNumber: 17 }
}

/** TCB information that finds the drafted platform up to date. */
export function draftTcbInfo(
  isTd: boolean,
  period: { from: number; until: number },
): Record<string, unknown> {
  const signer = { mrsigner: zeros(48), attributes: zeros(8), attributesMask: 'FF'.repeat(8) }
  const level = (svn: number, pcesvn: number, tcbStatus: string, advisoryIDs: string[]) => ({
    tcb: {
      sgxtcbcomponents: components(svn),
      pcesvn,
      // The second is the version of the module, which no level asks for.
      ...(isTd ? { tdxtcbcomponents: components(svn).with(1, { svn: 0 }) } : {}),
    },
    tcbDate: '2026-01-01T00:00:00Z',
    tcbStatus,
    ...(advisoryIDs.length === 0 ? {} : { advisoryIDs }),
  })
  const td = {
    tdxModule: signer,
    tdxModuleIdentities: [
      {
        id: 'TDX_01',
        ...signer,
        tcbLevels: [
          { tcb: { isvsvn: 5 }, tcbDate: '2026-01-01T00:00:00Z', tcbStatus: 'UpToDate' },
          {
            tcb: { isvsvn: 2 },
            tcbDate: '2025-01-01T00:00:00Z',
            tcbStatus: 'OutOfDate',
            advisoryIDs: ['INTEL-SA-00002'],
          },
        ],
      },
    ],
  }
  return {
    id: isTd ? 'TDX' : 'SGX',
    version: 3,
    ...published(period),
    fmspc: 'B0C06F000000',
    pceId: '0000',
    tcbType: 0,
    ...(isTd ? td : {}),
    tcbLevels: [level(5, 11, 'UpToDate', []), level(3, 5, 'OutOfDate', ['INTEL-SA-00001'])],
  }
}

/** The identity of the drafted quoting enclave. */
export function draftQeIdentity(
  isTd: boolean,
  period: { from: number; until: number },
): Record<string, unknown> {
  return {
    id: isTd ? 'TD_QE' : 'QE',
    version: 2,
    ...published(period),
    miscselect: zeros(4),
    miscselectMask: 'FF'.repeat(4),
    attributes: `11${zeros(15)}`,
    attributesMask: `FB${'FF'.repeat(7)}${zeros(8)}`,
    mrsigner: qeSigner.toUpperCase(),
    isvprodid: 2,
    tcbLevels: [
      { tcb: { isvsvn: 4 }, tcbDate: '2026-01-01T00:00:00Z', tcbStatus: 'UpToDate' },
      {
        tcb: { isvsvn: 3 },
        tcbDate: '2025-01-01T00:00:00Z',
        tcbStatus: 'OutOfDate',
        advisoryIDs: ['INTEL-SA-00003'],
      },
    ],
  }
}
