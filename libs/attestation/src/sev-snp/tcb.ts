/**
 * TCB versions: the security version of each firmware component. Versions are compared component by component, since a sum
 * or a number would let a new component hide an old one.
 */
import type { Generation } from './generations.js'

/** The components in AMD's names. `fmc` exists on Turin and is zero before. */
export const tcbComponents = [
  'fmc',
  'bootloader',
  'tee',
  'snp',
  'microcode',
  'spl4',
  'spl5',
  'spl6',
  'spl7',
] as const

/** One of {@link tcbComponents}. */
export type TcbComponent = (typeof tcbComponents)[number]

/** A version of each component, 0 to 255. */
export type Tcb = Readonly<Record<TcbComponent, number>>

const beforeTurin = ['bootloader', 'tee', 'spl4', 'spl5', 'spl6', 'spl7', 'snp', 'microcode'] as const
const sinceTurin = ['fmc', 'bootloader', 'tee', 'snp', 'spl5', 'spl6', 'spl7', 'microcode'] as const

/** Reads the eight bytes of a TCB_VERSION. */
export function readTcb(bytes: Uint8Array, generation: Generation): Tcb {
  const order = generation === 'turin' ? sinceTurin : beforeTurin
  const tcb: Record<TcbComponent, number> = {
    fmc: 0,
    bootloader: 0,
    tee: 0,
    snp: 0,
    microcode: 0,
    spl4: 0,
    spl5: 0,
    spl6: 0,
    spl7: 0,
  }
  order.forEach((component, index) => (tcb[component] = bytes[index] ?? 0))
  return tcb
}

/** The first component in which `tcb` is below `minimum`; undefined where it is nowhere below. */
export function componentBelow(tcb: Partial<Tcb>, minimum: Partial<Tcb>): TcbComponent | undefined {
  return tcbComponents.find((component) => (tcb[component] ?? 0) < (minimum[component] ?? 0))
}

/** The first component that differs. */
export function componentUnequal(a: Tcb, b: Tcb): TcbComponent | undefined {
  return tcbComponents.find((component) => a[component] !== b[component])
}
