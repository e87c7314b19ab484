/**
 * Intel SGX Root CA, under which SGX and TDX stand: SHA-256 of its DER. Pinned by what it is, so that no file
 * that comes with evidence can add another.
 */
export const intelRoots: readonly string[] = [
  '44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3',
]
