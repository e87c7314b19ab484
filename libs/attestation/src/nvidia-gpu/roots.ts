/** SHA-256 of the DER of NVIDIA's roots: what devices and reference values are trusted by. */

/** CN=NVIDIA Device Identity CA, of every GPU and switch. */
export const nvidiaDeviceRoots: readonly string[] = [
  '102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48',
]

/** CN=NVIDIA CoRIM signing Root CA, of reference integrity manifests. */
export const nvidiaRimRoots: readonly string[] = [
  '12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1',
]
