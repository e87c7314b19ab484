/** Firmware ids in a device's certificate: TCG DICE, TcbInfo (2.23.133.5.4.1) and MultiTcbInfo, and NVIDIA's own older form. */
import { toHex } from '#libs/canonical'
import { derTag, readDer, type DerReader } from '../der/der-reader.js'
import type { Certificate } from '../x509/certificate.js'

const extensionIds = ['2.23.133.5.4.1', '2.23.133.5.4.1.1'] as const
const sha384 = '2.16.840.1.101.3.4.2.2'
const constructed = 0x20

/**
 * Every SHA-384 firmware id that a certificate names, in hexadecimal. The forms differ in what stands around an id; an id is
 * always a sequence of hash algorithm and digest.
 * @throws AttestationError `MALFORMED`.
 */
export function firmwareIdsOf({ extensions }: Certificate): readonly string[] {
  return extensionIds.flatMap((id) => {
    const extension = extensions.get(id)
    return extension === undefined ? [] : idsIn(readDer(extension.value, 'DICE TcbInfo'))
  })
}

function idsIn(reader: DerReader): readonly string[] {
  const ids: string[] = []
  let algorithm: string | null = null
  while (!reader.atEnd) {
    if (reader.nextTag === derTag.objectIdentifier) {
      algorithm = reader.objectIdentifier('TcbInfo')
      continue
    }
    const element = reader.any('TcbInfo')
    if ((element.tag & constructed) !== 0) ids.push(...idsIn(reader.enter(element)))
    else if (element.tag === derTag.octetString && algorithm === sha384 && element.content.length === 48)
      ids.push(toHex(element.content))
    algorithm = null
  }
  return ids
}
