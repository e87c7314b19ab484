/** Reference manifests of drivers and VBIOSes from NVIDIA's RIM service, or a mirror of it. */
import { z } from 'zod'
import { CodedError, fromBase64 } from '#libs/canonical'
import { gpuManifestName, type Collateral, type GpuManifestAsk } from '#libs/attestation'
import { AgentError } from '../errors.js'
import { download, type DownloadBounds } from './download.js'

const answerSchema = z.looseObject({ rim: z.string() })

/**
 * Gets the manifest that an ask names; the service wraps it into JSON.
 * @throws AgentError `COLLATERAL_UNREACHABLE`; also where a site named mirrors, and none of this service.
 */
export async function fetchNvidia(
  host: string | null,
  ask: GpuManifestAsk,
  bounds: DownloadBounds,
): Promise<Collateral> {
  if (host === null)
    throw unreachable(ask, 'the configuration names no mirror `nvidia`; name one, or fill the folder by hand')
  const { body } = await download(new URL(`/v1/rim/${encodeURIComponent(ask.id)}`, host), bounds)
  return { [gpuManifestName(ask)]: manifestIn(ask, body) }
}

function manifestIn(ask: GpuManifestAsk, body: Uint8Array): Uint8Array {
  try {
    return fromBase64(answerSchema.parse(JSON.parse(new TextDecoder().decode(body))).rim)
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof z.ZodError || cause instanceof CodedError))
      throw cause
    throw unreachable(ask, 'the service answers something else than a manifest', cause)
  }
}

function unreachable({ id }: GpuManifestAsk, why: string, cause?: unknown): AgentError {
  return new AgentError('COLLATERAL_UNREACHABLE', `manifest ${id}: ${why}`, { cause })
}
