/** `SLOW=1` raises the number of runs of properties and fuzzers. */
export const slow = process.env['SLOW'] === '1'

/** Where the public test vectors lie, beside the project; a test that needs them says so where they are absent. */
export const vectorsFolder = process.env['SEALROOM_VECTORS'] ?? '../shared/vectors'

/** Where captured evidence of hardware lies; undefined where nobody named the folder. */
export const evidenceFolder = process.env['SEALROOM_EVIDENCE']
