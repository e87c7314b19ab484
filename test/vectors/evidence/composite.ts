import { createHash } from 'node:crypto'
import { z } from 'zod'
import { compositePart, judgeComposite, type CompositeBinding } from '#libs/attestation'
import { fromHex } from '#libs/canonical'
import { CaseUnreadable, fileOf, type CaseInputs, type EvidenceAdapter } from './adapter.js'

const itemSchema = z.union([
  z.strictObject({ name: z.string(), hex: z.string() }),
  z.strictObject({ name: z.string(), nonce: z.literal(true) }),
  z.strictObject({ name: z.string(), sha256OfFile: z.string() }),
])
const fieldsSchema = z.looseObject({
  nonce: z.string(),
  parts: z.array(z.looseObject({ role: z.string(), kind: z.string() })),
  binding: z.looseObject({
    checks: z.array(
      z.discriminatedUnion('type', [
        z.strictObject({
          type: z.literal('report-data'),
          role: z.string(),
          sha256Of: z.array(itemSchema),
          then: itemSchema.optional(),
        }),
        z.strictObject({ type: z.literal('part-nonce'), role: z.string(), field: z.string() }),
      ]),
    ),
  }),
})

type Item = z.infer<typeof itemSchema>

/** Cases of kind `composite`, their parts judged by the adapters of their own kinds. */
export function compositeOf(adapters: ReadonlyMap<string, EvidenceAdapter>): EvidenceAdapter {
  return async (inputs) => {
    const { nonce, parts, binding } = fieldsSchema.parse(inputs.fields)
    const asked = fromHex(nonce)
    const judged = []
    for (const { role, kind, ...fields } of parts) {
      const adapter = adapters.get(kind)
      if (adapter === undefined) throw new CaseUnreadable(`no verifier of ${kind} here`)
      judged.push(compositePart(role, await adapter({ ...inputs, fields })))
    }
    const bindings = binding.checks.map((check): CompositeBinding =>
      check.type === 'part-nonce'
        ? { type: check.type, role: check.role }
        : {
            type: check.type,
            role: check.role,
            sha256Of: check.sha256Of.map((item) => bytesOf(item, asked, inputs)),
            followedBy: check.then === undefined ? null : bytesOf(check.then, asked, inputs),
          },
    )
    return judgeComposite(judged, { nonce: asked, bindings })
  }
}

function bytesOf(item: Item, nonce: Uint8Array, inputs: CaseInputs): Uint8Array {
  if ('hex' in item) return fromHex(item.hex)
  if ('nonce' in item) return nonce
  const file = fileOf({ ...inputs, fields: { name: item.sha256OfFile } }, 'name')
  return createHash('sha256').update(file).digest()
}
