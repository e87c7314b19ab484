/** Collateral of SEV-SNP from AMD's key distribution service, or a mirror of it (AMD 57230, chapter 4). */
import { fromHex } from '#libs/canonical'
import {
  generationNames,
  readTcb,
  type Collateral,
  type Generation,
  type SnpCollateralAsk,
} from '#libs/attestation'
import { AgentError } from '../errors.js'
import { download, type DownloadBounds } from './download.js'

/**
 * Gets the certificate of a chip's key for one TCB, its chain, and AMD's revocation list.
 * @throws AgentError `COLLATERAL_UNREACHABLE`; also for what the service does not give: a VLEK comes from the cloud provider, and a report
 * of version 2 or of a chip that hides its id does not say which certificate it needs.
 */
export async function fetchAmd(
  host: string,
  ask: SnpCollateralAsk,
  bounds: DownloadBounds,
): Promise<Collateral> {
  const { generation } = ask
  if (ask.key === 'VLEK') throw notGiven('a VLEK is given by the cloud provider alone')
  if (generation === null) throw notGiven('the report does not name its processor')
  if (/^0*$/.test(ask.chipId)) throw notGiven('the chip does not show its id')
  const product = `/vcek/v1/${generationNames[generation]}`
  const get = async (path: string) => (await download(new URL(path, host), bounds)).body
  const [vek, chain, crl] = await Promise.all([
    get(`${product}/${chipOf(ask, generation)}?${firmwareOf(ask, generation)}`),
    get(`${product}/cert_chain`),
    get(`${product}/crl`),
  ])
  return { vek, chain, crl }
}

// On Turin a chip id has 8 bytes.
function chipOf({ chipId }: SnpCollateralAsk, generation: Generation): string {
  return generation === 'turin' ? chipId.slice(0, 16) : chipId
}

function firmwareOf({ reportedTcb }: SnpCollateralAsk, generation: Generation): string {
  const tcb = readTcb(fromHex(reportedTcb), generation)
  const versions = new URLSearchParams()
  if (generation === 'turin') versions.set('fmcSPL', twoDigits(tcb.fmc))
  versions.set('blSPL', twoDigits(tcb.bootloader))
  versions.set('teeSPL', twoDigits(tcb.tee))
  versions.set('snpSPL', twoDigits(tcb.snp))
  versions.set('ucodeSPL', twoDigits(tcb.microcode))
  return versions.toString()
}

function twoDigits(version: number): string {
  return String(version).padStart(2, '0')
}

function notGiven(why: string): AgentError {
  return new AgentError(
    'COLLATERAL_UNREACHABLE',
    `AMD's service has no certificate for this report: ${why}; where you have it with its chain and list, put them into the folder of collateral by \`sealroom attest fetch-collateral --from\``,
  )
}
