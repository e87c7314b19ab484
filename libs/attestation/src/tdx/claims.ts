/** What an authentic TDX quote says, in JSON: for the appraisal, for people, and for the record of a run. */
import { z } from 'zod'
import { toHex } from '#libs/canonical'
import type { AuthenticQuote } from '../dcap/authenticate.js'
import { tcbStatuses } from '../dcap/tcb-status.js'
import { readTdAttributes } from './attributes.js'

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`))

/** The claims of a TDX quote. */
export const tdxClaimsSchema = z.strictObject({
  version: z.int(),
  fmspc: hex(6),
  tcbStatus: z.enum(tcbStatuses).nullable(),
  advisories: z.array(z.string()),
  evaluationDataNumber: z.int(),
  /** When the first of certificates and collateral ends. */
  collateralUntil: z.string(),
  debug: z.boolean(),
  migratable: z.boolean(),
  septVeDisable: z.boolean(),
  reserved: z.array(z.string()),
  teeTcbSvn: hex(16),
  mrSeam: hex(48),
  mrTd: hex(48),
  mrConfigId: hex(48),
  mrOwner: hex(48),
  mrOwnerConfig: hex(48),
  rtmr0: hex(48),
  rtmr1: hex(48),
  rtmr2: hex(48),
  rtmr3: hex(48),
  /** Null before TD 1.5. */
  mrServiceTd: hex(48).nullable(),
})

/** See {@link tdxClaimsSchema}. */
export type TdxClaims = Readonly<z.infer<typeof tdxClaimsSchema>>

/** The claims of a quote. */
export function tdxClaimsOf({
  quote,
  platform,
  tcb,
  evaluationDataNumber,
  validUntil,
}: AuthenticQuote<'tdx'>): TdxClaims {
  const { body } = quote
  const [rtmr0, rtmr1, rtmr2, rtmr3] = body.rtmrs
  return {
    version: quote.version,
    fmspc: platform.fmspc,
    tcbStatus: tcb.status,
    advisories: [...tcb.advisories],
    evaluationDataNumber,
    collateralUntil: new Date(validUntil).toISOString(),
    ...attributesOf(body),
    teeTcbSvn: toHex(body.teeTcbSvn),
    mrSeam: toHex(body.mrSeam),
    mrTd: toHex(body.mrTd),
    mrConfigId: toHex(body.mrConfigId),
    mrOwner: toHex(body.mrOwner),
    mrOwnerConfig: toHex(body.mrOwnerConfig),
    rtmr0: toHex(rtmr0),
    rtmr1: toHex(rtmr1),
    rtmr2: toHex(rtmr2),
    rtmr3: toHex(rtmr3),
    mrServiceTd: body.later === null ? null : toHex(body.later.mrServiceTd),
  }
}

function attributesOf({
  tdAttributes,
  xfam,
}: AuthenticQuote<'tdx'>['quote']['body']): Pick<
  TdxClaims,
  'debug' | 'migratable' | 'septVeDisable' | 'reserved'
> {
  const { reserved, ...flags } = readTdAttributes(tdAttributes, xfam)
  return { ...flags, reserved: [...reserved] }
}

/** Whether a service TD is bound to the TD: one that may move it to another machine. */
export function hasServiceTd({ mrServiceTd }: Pick<TdxClaims, 'mrServiceTd'>): boolean {
  return mrServiceTd !== null && /[^0]/.test(mrServiceTd)
}
