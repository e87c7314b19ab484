/**
 * The table of certificates that an SNP host may hand to its guest (GHCB specification, SNP Extended Guest Request). The host fills it:
 * a convenience for whoever verifies the report, worth nothing by itself.
 */
import type { Collateral } from '#libs/attestation'
import { toBase64, toHex, utf8 } from '#libs/canonical'

const entryLength = 24
const maximumEntries = 16
const names: Readonly<Record<string, 'vek' | 'authority' | 'crl'>> = {
  '63da758de6644564adc5f4b93be8accd': 'vek',
  a8074bc2a25a483eaae639c045a0b8a1: 'vek',
  '4ab7b379bbac4fe4a02f05aef327c782': 'authority',
  c0b406a4a803495297433fb6014cd0ae: 'authority',
  '92f81bc358114d3d97ffd19f88dc67ea': 'crl',
}

/** The certificates by the names of collateral. A table that cannot be read gives none: verifiers then ask for them. */
export function certificatesOf(table: Uint8Array): Collateral {
  const found: Record<string, Uint8Array> = {}
  let authorities = ''
  for (const { name, bytes } of entriesOf(table))
    if (name === 'authority') authorities += pem(bytes)
    else found[name] ??= bytes
  return authorities === '' ? found : { ...found, chain: utf8(authorities) }
}

function* entriesOf(table: Uint8Array): Generator<{ name: 'vek' | 'authority' | 'crl'; bytes: Uint8Array }> {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength)
  for (let at = 0; at + entryLength <= table.length && at < maximumEntries * entryLength; at += entryLength) {
    const id = table.subarray(at, at + 16)
    if (id.every((byte) => byte === 0)) return
    const [offset, length] = [view.getUint32(at + 16, true), view.getUint32(at + 20, true)]
    const name = names[toHex(id)] ?? names[toHex(littleEndian(id))]
    if (name === undefined || length === 0 || offset + length > table.length) continue
    yield { name, bytes: table.slice(offset, offset + length) }
  }
}

// Hosts write the id as text has it, or in the order of a Windows GUID.
function littleEndian(id: Uint8Array): Uint8Array {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
  return Uint8Array.from(order, (index) => id[index] ?? 0)
}

function pem(der: Uint8Array): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
