/** What a quote of a TD says, not verified. How good its firmware is only Intel's collateral tells. */
import { toHex } from '#libs/canonical'
import type { Quote } from '../dcap/quote.js'
import { readTdAttributes } from '../tdx/attributes.js'
import type { UnverifiedFacts } from './inspect.js'

/** Facts of a quote that was read. */
export function unverifiedTdFacts({ version, body, paddingLength }: Quote<'tdx'>): UnverifiedFacts {
  const { debug, migratable, septVeDisable, reserved } = readTdAttributes(body.tdAttributes, body.xfam)
  return {
    unverifiedFacts: {
      quoteVersion: version,
      td: body.later === null ? '1.0' : '1.5',
      mrTd: toHex(body.mrTd),
      ...Object.fromEntries(body.rtmrs.map((rtmr, index) => [`rtmr${index}`, toHex(rtmr)])),
      mrConfigId: toHex(body.mrConfigId),
      mrOwner: toHex(body.mrOwner),
      mrOwnerConfig: toHex(body.mrOwnerConfig),
      mrServiceTd: body.later === null ? null : toHex(body.later.mrServiceTd),
      mrSeam: toHex(body.mrSeam),
      teeTcbSvn: toHex(body.teeTcbSvn),
      debug,
      migratable,
      septVeDisable,
      reserved: [...reserved],
      reportData: toHex(body.reportData),
      paddingBytes: paddingLength,
    },
    warnings: [
      ...(debug ? ['DEBUG is set: the host can read and change the TD'] : []),
      ...(migratable ? ['MIGRATABLE is set: the TD can be moved to another machine'] : []),
      ...(septVeDisable
        ? []
        : ['SEPT_VE_DISABLE is off: the host may interrupt the TD by taking pages away']),
      ...(reserved.length > 0 ? [`bits without a meaning are set: ${reserved.join(', ')}`] : []),
      'its TCB status is not known from the quote alone: Intel’s collateral says it',
    ],
  }
}
