import { concatBytes, domains, digest, fromHex, utf8 } from '#libs/canonical'

/** Bytes that look random and are the same in every run of a test with the same seed. */
export function seededBytes(seed: string): (length: number) => Uint8Array<ArrayBuffer> {
  let counter = 0
  return (length) => {
    const blocks: Uint8Array[] = []
    for (let have = 0; have < length; have += 32)
      blocks.push(fromHex(digest(domains.requestBody, utf8(`${seed}/${counter++}`))))
    return concatBytes(...blocks).slice(0, length)
  }
}
