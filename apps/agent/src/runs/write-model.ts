/** What a training gave beside its table: the model's file, and the card that says how it was made and how it is fed. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { fromBase64url } from '#libs/canonical'
import type { ReleasedOutput } from '#libs/protocol'
import { writeDurably } from '../durable-file.js'
import { AgentError } from '../errors.js'

/**
 * Writes `<output>.card.json` and, where there is a model, `<output>.onnx`. The output was verified before: the Receipt names its digest.
 * @throws AgentError `RESULT_NOT_VERIFIED` where the file is not the one that its card names.
 */
export async function writeModel(folder: string, result: ReleasedOutput): Promise<readonly string[]> {
  if (result.type !== 'sealroom/training/v1') return []
  const { contract, run, output, card, model, simulated } = result
  const bytes = model === null ? null : fromBase64url(model.onnx)
  if (bytes !== null && createHash('sha256').update(bytes).digest('hex') !== model?.sha256)
    throw new AgentError(
      'RESULT_NOT_VERIFIED',
      `the model of output ${output} has another digest than it says`,
    )
  const cardFile = join(folder, `${output}.card.json`)
  const shown = { contract, run, simulated, ...card, sha256: model?.sha256 ?? null }
  await writeDurably(cardFile, `${JSON.stringify(shown, null, 2)}\n`, { replace: true })
  if (bytes === null) return [cardFile]
  const modelFile = join(folder, `${output}.onnx`)
  await writeDurably(modelFile, bytes, { replace: true })
  return [cardFile, modelFile]
}
