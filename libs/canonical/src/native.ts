/**
 * Node's own cryptography where this runs in Node, or undefined in a browser: asked for at run time, so that no browser's bundle
 * looks for it. WebCrypto hands every small piece to a thread and back, which costs more than the piece; the results are the same.
 */
/** What is used of `node:crypto`; its own types would be an import of a module that a browser does not have. */
interface NativeCrypto {
  createHash(name: 'sha256'): { update(bytes: Uint8Array): { digest(): Uint8Array } }
  createPublicKey(given: {
    readonly key: { readonly kty: string; readonly crv: string; readonly x: string }
    readonly format: 'jwk'
  }): NativeKey
  verify(algorithm: null, bytes: Uint8Array, key: NativeKey, signature: Uint8Array): boolean
}

/** A public key in Node's hands. */
export interface NativeKey {
  readonly asymmetricKeyType?: string
}

interface BuiltinModules {
  readonly getBuiltinModule?: (name: 'node:crypto') => NativeCrypto
}

/** What a `Buffer` does here: bytes to text and back, of text whose spelling was checked before. */
interface BufferMaker {
  from(text: string, encoding: 'base64' | 'hex'): Uint8Array
  from(
    bytes: ArrayBufferLike,
    offset: number,
    length: number,
  ): { toString(encoding: 'base64' | 'hex'): string }
}

const { process, Buffer } = globalThis as unknown as {
  readonly process?: BuiltinModules
  readonly Buffer?: BufferMaker
}

/** Node's conversion of bytes and text, or undefined in a browser. */
export const nativeBuffer: BufferMaker | undefined =
  process?.getBuiltinModule === undefined ? undefined : Buffer

export const nativeCrypto: NativeCrypto | undefined = process?.getBuiltinModule?.('node:crypto')
