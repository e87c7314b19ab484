/** An AMD that signs whatever it is asked to: root, authorities, VCEK and VLEK, and reports of all generations. */
import { concatBytes } from '#libs/canonical'
import {
  authorityExtensions,
  fingerprint,
  makeCertificate,
  makeKey,
  makeRevocationList,
  pem,
  signRaw,
  type FakeCertificate,
  type FakeExtension,
  type FakeKey,
  type FakeRevocationList,
} from './certificate-authority.js'
import { derInteger, derText } from './der-writer.js'

/** A report and what goes with it, before anything is signed. Change what you like. */
export interface SnpForgery {
  /** 1184 bytes, of which the signature is filled in; see {@link snpField}. */
  report: Uint8Array
  vek: FakeCertificate
  authority: FakeCertificate
  root: FakeCertificate
  /** Made where it is not null. */
  crl: FakeRevocationList | null
  /** Who signs the report, whatever its certificate says. */
  signer: FakeKey
  /** What becomes of the finished bytes on their way. */
  onTheWay: {
    report?: (report: Uint8Array) => Uint8Array
    vek?: (vek: Uint8Array) => Uint8Array
    chain?: (chain: Uint8Array) => Uint8Array
    crl?: (crl: Uint8Array) => Uint8Array
  }
}

/** Evidence as a host hands it over, and the fingerprint of its root. */
export interface FakeSnpEvidence {
  readonly report: Uint8Array
  readonly vek: Uint8Array
  readonly chain: Uint8Array
  readonly crl?: Uint8Array
  readonly root: string
}

/** Offsets of fields in a report. */
export const snpField = {
  version: 0x00,
  guestSvn: 0x04,
  policy: 0x08,
  familyId: 0x10,
  imageId: 0x20,
  vmpl: 0x30,
  signatureAlgorithm: 0x34,
  currentTcb: 0x38,
  platformInfo: 0x40,
  keyInfo: 0x48,
  reportData: 0x50,
  measurement: 0x90,
  hostData: 0xc0,
  idKeyDigest: 0xe0,
  authorKeyDigest: 0x110,
  reportedTcb: 0x180,
  cpuid: 0x188,
  chipId: 0x1a0,
  committedTcb: 0x1e0,
  launchTcb: 0x1f0,
  mitigation: 0x1f8,
  signature: 0x2a0,
} as const

export const snpExtension = {
  product: '1.3.6.1.4.1.3704.1.2',
  bootloader: '1.3.6.1.4.1.3704.1.3.1',
  tee: '1.3.6.1.4.1.3704.1.3.2',
  snp: '1.3.6.1.4.1.3704.1.3.3',
  microcode: '1.3.6.1.4.1.3704.1.3.8',
  fmc: '1.3.6.1.4.1.3704.1.3.9',
  hardwareId: '1.3.6.1.4.1.3704.1.4',
  provider: '1.3.6.1.4.1.3704.1.5',
} as const

const names = { milan: 'Milan', genoa: 'Genoa', turin: 'Turin' } as const
const cpuids = { milan: [0x19, 0x01, 1], genoa: [0x19, 0x11, 1], turin: [0x1a, 0x02, 1] } as const
const tcb = { fmc: 1, bootloader: 4, tee: 1, snp: 24, microcode: 219 } as const

/** The keys of one AMD. Making them takes a while: make one for a file of tests. */
export class FakeAmd {
  readonly root: FakeKey
  readonly authority: FakeKey
  readonly vek = makeKey('ecdsa-sha384')

  /** AMD's own have 4096 bits. */
  constructor({ bits = 2048 } = {}) {
    this.root = makeKey('rsa-pss-sha384', { bits })
    this.authority = makeKey('rsa-pss-sha384', { bits })
  }

  /** Genuine evidence of one kind, to be changed before it is made. Valid for a year around `now`. */
  draft(
    now: number,
    generation: keyof typeof names = 'genoa',
    kind: 'VCEK' | 'VLEK' = 'VCEK',
    version: 2 | 3 | 5 = 3,
  ): SnpForgery {
    const name = names[generation]
    const [from, until] = [now - 180 * 86_400_000, now + 180 * 86_400_000]
    const authorityName = kind === 'VCEK' ? `SEV-${name}` : `SEV-VLEK-${name}`
    const period = { from, until }
    return {
      report: draftReport(generation, kind, version),
      root: {
        ...period,
        subject: `ARK-${name}`,
        issuer: `ARK-${name}`,
        serialNumber: 1,
        key: this.root,
        signer: this.root,
        extensions: authorityExtensions(),
      },
      authority: {
        ...period,
        subject: authorityName,
        issuer: `ARK-${name}`,
        serialNumber: 2,
        key: this.authority,
        signer: this.root,
        extensions: authorityExtensions({ pathLength: 0, uses: [5] }),
      },
      vek: {
        ...period,
        subject: `SEV-${kind}`,
        issuer: authorityName,
        serialNumber: 0,
        key: this.vek,
        signer: this.authority,
        extensions: vekExtensions(generation, kind),
      },
      crl: null,
      signer: this.vek,
      onTheWay: {},
    }
  }

  /** A current list of the root that revokes nothing. */
  draftList({ root }: SnpForgery): FakeRevocationList {
    const { subject, key, from, until } = root
    return { issuer: subject, signer: key, from, until, revoked: [], extensions: [] }
  }

  /** Signs everything. */
  make({ report, vek, authority, root, crl, signer, onTheWay }: SnpForgery): FakeSnpEvidence {
    const unchanged = (bytes: Uint8Array): Uint8Array => bytes
    const rootCertificate = makeCertificate(root)
    const signed = report.subarray(0, snpField.signature)
    const raw = signRaw(signer, signed)
    const end = new Uint8Array(512)
    end.set(raw.subarray(0, 48).toReversed(), 0)
    end.set(raw.subarray(48).toReversed(), 72)
    const list = crl === null ? {} : { crl: (onTheWay.crl ?? unchanged)(makeRevocationList(crl)) }
    return {
      report: (onTheWay.report ?? unchanged)(concatBytes(signed, end)),
      vek: (onTheWay.vek ?? unchanged)(makeCertificate(vek)),
      chain: (onTheWay.chain ?? unchanged)(pem([makeCertificate(authority), rootCertificate])),
      ...list,
      root: fingerprint(rootCertificate),
    }
  }
}

/** The bytes of a TCB_VERSION of the fake's firmware. */
export function fakeTcbBytes(generation: keyof typeof names): Uint8Array {
  const { fmc, bootloader, tee, snp, microcode } = tcb
  return generation === 'turin'
    ? Uint8Array.of(fmc, bootloader, tee, snp, 0, 0, 0, microcode)
    : Uint8Array.of(bootloader, tee, 0, 0, 0, 0, snp, microcode)
}

/** The chip id of the fake's machine: 64 bytes, of which Turin has 8. */
export function fakeChipId(generation: keyof typeof names): Uint8Array {
  const id = new Uint8Array(64)
  id.fill(0xc1, 0, generation === 'turin' ? 8 : 64)
  return id
}

function draftReport(generation: keyof typeof names, kind: 'VCEK' | 'VLEK', version: number): Uint8Array {
  const report = new Uint8Array(1184)
  const put = (field: keyof typeof snpField, bytes: ArrayLike<number>): void => {
    report.set(bytes, snpField[field])
  }
  put('version', [version])
  put('guestSvn', [7])
  // ABI 1.51 and the bit that is always one.
  put('policy', [51, 1, 2])
  put('signatureAlgorithm', [1])
  put('keyInfo', [kind === 'VLEK' ? 0b110 : 0])
  put('reportData', new Uint8Array(64).fill(0xda))
  put('measurement', new Uint8Array(48).fill(0x3e))
  for (const field of ['currentTcb', 'reportedTcb', 'committedTcb', 'launchTcb'] as const)
    put(field, fakeTcbBytes(generation))
  if (version >= 3) put('cpuid', cpuids[generation])
  if (version >= 5) put('mitigation', [0x3f])
  if (kind === 'VCEK') put('chipId', fakeChipId(generation))
  return report
}

function vekExtensions(generation: keyof typeof names, kind: 'VCEK' | 'VLEK'): FakeExtension[] {
  const ofFirmware = Object.entries(tcb)
    .filter(([component]) => component !== 'fmc' || generation === 'turin')
    .map(([component, version]) => ({
      id: snpExtension[component as keyof typeof tcb],
      value: derInteger(version),
    }))
  const hardwareId = fakeChipId(generation).subarray(0, generation === 'turin' ? 8 : 64)
  return [
    { id: snpExtension.product, value: derText(names[generation], 0x16) },
    ...ofFirmware,
    kind === 'VCEK'
      ? { id: snpExtension.hardwareId, value: hardwareId }
      : { id: snpExtension.provider, value: derText('CN=cc.cloud.test', 0x16) },
  ]
}
