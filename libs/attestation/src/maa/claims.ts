/**
 * What a token of Microsoft Azure Attestation claims of the hardware, by names of this project. What an older service does not say counts as its
 * unsafe value.
 */
import { z } from 'zod'
import { fromHex } from '#libs/canonical'
import { memberOf, textIn, type ForeignObject } from '../json/foreign-json.js'
import { generationOfName } from '../sev-snp/generations.js'
import { readTdAttributes } from '../tdx/attributes.js'
import { ClaimReader } from '../token/read-claim.js'

const what = 'MAA token'
const text = z.string()
const flag = z.boolean()

/** Claims about SEV-SNP. */
export const maaSnpClaimsSchema = z.strictObject({
  measurement: text,
  /** Null: not said, or a processor that is not known here. */
  generation: z.enum(['milan', 'genoa', 'turin']).nullable(),
  chipId: text.nullable(),
  vmpl: z.int(),
  guestSvn: z.int(),
  reportedTcb: z.strictObject({ bootloader: z.int(), tee: z.int(), snp: z.int(), microcode: z.int() }),
  policy: z.strictObject({
    debug: flag,
    migrationAgent: flag,
    smtAllowed: flag,
    cxlAllowed: flag,
    singleSocket: flag,
    aes256Xts: flag,
    raplDisabled: flag,
    ciphertextHiding: flag,
    pageSwapDisabled: flag,
  }),
  hostData: text,
  familyId: text,
  imageId: text,
  idKeyDigest: text,
  authorKeyDigest: text,
})

/** See {@link maaSnpClaimsSchema}. */
export type MaaSnpClaims = z.infer<typeof maaSnpClaimsSchema>

/**
 * Reads the level of a token that is about SEV-SNP.
 * @throws AttestationError `MALFORMED`.
 */
export function readMaaSnp(level: ForeignObject): MaaSnpClaims {
  const claims = new ClaimReader(level, what)
  const named = (name: string) => `x-ms-sevsnpvm-${name}`
  const svn = (name: string) => claims.integer(named(`${name}-svn`), 255)
  const protection = (name: string) => claims.flagOr(named(name), false)
  const hasChip = memberOf(level, named('chipid')) !== undefined
  return {
    measurement: claims.hex(named('launchmeasurement'), 48),
    generation: generationOfName(textIn(level, named('chip-family')) ?? '') ?? null,
    chipId: hasChip ? claims.hex(named('chipid'), 64) : null,
    vmpl: claims.integer(named('vmpl'), 3),
    guestSvn: claims.integer(named('guestsvn'), 4_294_967_295),
    reportedTcb: {
      bootloader: svn('bootloader'),
      tee: svn('tee'),
      snp: svn('snpfw'),
      microcode: svn('microcode'),
    },
    policy: {
      debug: claims.flag(named('is-debuggable')),
      migrationAgent: claims.flag(named('migration-allowed')),
      smtAllowed: claims.flag(named('smt-allowed')),
      cxlAllowed: claims.flagOr(named('cxl-allowed'), true),
      singleSocket: protection('singlesocket'),
      aes256Xts: protection('mem-aes256-xts-required'),
      raplDisabled: protection('rapl-disabled'),
      ciphertextHiding: protection('ciphertext-hiding-dram-enabled'),
      pageSwapDisabled: protection('page-swap-disabled'),
    },
    hostData: claims.hex(named('hostdata'), 32),
    familyId: claims.hex(named('familyId'), 16),
    imageId: claims.hex(named('imageId'), 16),
    idKeyDigest: claims.hex(named('idkeydigest'), 48),
    authorKeyDigest: claims.hex(named('authorkeydigest'), 48),
  }
}

/** Claims about TDX. */
export const maaTdxClaimsSchema = z.strictObject({
  mrTd: text,
  rtmr0: text,
  rtmr1: text,
  rtmr2: text,
  rtmr3: text,
  mrConfigId: text,
  mrOwner: text,
  mrOwnerConfig: text,
  mrSeam: text,
  mrSignerSeam: text,
  seamAttributes: text,
  debug: flag,
  migratable: flag,
  septVeDisable: flag,
  reserved: z.array(text),
  /** Null: not said. */
  tcbStatus: text.nullable(),
})

/** See {@link maaTdxClaimsSchema}. */
export type MaaTdxClaims = z.infer<typeof maaTdxClaimsSchema>

/**
 * Reads the level of a token that is about TDX.
 * @throws AttestationError `MALFORMED`.
 */
export function readMaaTdx(level: ForeignObject): MaaTdxClaims {
  const claims = new ClaimReader(level, what)
  const register = (name: string) => claims.hex(`tdx_${name}`, 48)
  const attributes = fromHex(claims.hex('tdx_td_attributes', 8))
  const { debug, migratable, septVeDisable, reserved } = readTdAttributes(
    attributes,
    fromHex(claims.hex('tdx_xfam', 8)),
  )
  return {
    mrTd: register('mrtd'),
    rtmr0: register('rtmr0'),
    rtmr1: register('rtmr1'),
    rtmr2: register('rtmr2'),
    rtmr3: register('rtmr3'),
    mrConfigId: register('mrconfigid'),
    mrOwner: register('mrowner'),
    mrOwnerConfig: register('mrownerconfig'),
    mrSeam: register('mrseam'),
    mrSignerSeam: register('mrsignerseam'),
    seamAttributes: claims.hex('tdx_seam_attributes', 8),
    // Said twice, by the bit and in words: either makes it so.
    debug: debug || claims.flag('tdx_td_attributes_debug') || textIn(level, 'dbgstat') !== 'disabled',
    migratable: migratable || claims.flagOr('tdx_td_attributes_migratable', false),
    septVeDisable,
    reserved: [...reserved],
    tcbStatus: textIn(level, 'attester_tcb_status'),
  }
}
