/**
 * One report of the hardware, by the kernel's configfs-tsm. Guards that the answer is to our own question: `generation` counts questions,
 * and an answer between two others is thrown away. Says nothing about what the report is worth; whoever is shown it verifies it.
 */
import { EnclaveError } from '../errors.js'
import type { TsmAnswer, TsmFiles } from './tsm-files.js'

/** The kernel's answer. */
export interface TsmReport {
  /** The driver that answered, as `sev_guest`. */
  readonly provider: string
  readonly report: Uint8Array
  /** What the host adds, unverified: certificates on SNP. Empty where there is nothing. */
  readonly auxiliary: Uint8Array
}

const reportDataLength = 64
const maximumAttempts = 5
const maximumReportLength = 65_536

/**
 * Asks for a report over 64 bytes under a request of this name, which nobody else uses.
 * @throws EnclaveError `TEE_FAILED`.
 */
export async function tsmReport(files: TsmFiles, name: string, reportData: Uint8Array): Promise<TsmReport> {
  if (reportData.length !== reportDataLength)
    throw new RangeError(`report data has ${reportData.length} bytes; expected ${reportDataLength}`)
  await step('makes no request', () => files.makeRequest(name))
  try {
    for (let attempt = 0; attempt < maximumAttempts; attempt++) {
      const answer = await askOnce(files, name, reportData)
      if (answer !== null) return answer
    }
  } finally {
    await step('does not take the request away', () => files.removeRequest(name))
  }
  throw failed(`another process asked under the same request ${maximumAttempts} times in a row`)
}

async function askOnce(files: TsmFiles, name: string, reportData: Uint8Array): Promise<TsmReport | null> {
  const before = await generationOf(files, name)
  await step('takes no report data', () => files.writeQuestion(name, reportData))
  try {
    const provider = text(await files.read(name, 'provider'))
    const report = await files.read(name, 'outblob')
    const auxiliary = await optional(files, name, 'auxblob')
    if ((await generationOf(files, name)) !== before + 1) return null
    if (report.length === 0 || report.length > maximumReportLength)
      throw failed(`its report has ${report.length} bytes; expected 1 to ${maximumReportLength}`)
    return { provider, report, auxiliary }
  } catch (error) {
    if (hasCode(error, 'EWOULDBLOCK', 'EAGAIN', 'EBUSY')) return null
    if (error instanceof EnclaveError) throw error
    throw failed(`it gives no report: ${codeOf(error)}`, error)
  }
}

async function generationOf(files: TsmFiles, name: string): Promise<number> {
  const seen = text(await step('tells no generation', () => files.read(name, 'generation')))
  if (!/^\d{1,15}$/.test(seen)) throw failed('its generation is no number')
  return Number(seen)
}

// TDX has no auxiliary file before Linux 6.10, and older SNP hosts put nothing in it.
async function optional(files: TsmFiles, name: string, answer: TsmAnswer): Promise<Uint8Array> {
  try {
    return await files.read(name, answer)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENXIO')) return new Uint8Array()
    throw error
  }
}

async function step<Result>(what: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (error) {
    throw failed(`it ${what}: ${codeOf(error)}`, error)
  }
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 100)).trim()
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(codeOf(error))
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}

function failed(why: string, cause?: unknown): EnclaveError {
  return new EnclaveError('TEE_FAILED', `configfs-tsm: ${why}`, { cause })
}
