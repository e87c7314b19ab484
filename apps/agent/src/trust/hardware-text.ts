import type { Check } from '#libs/attestation'

/**
 * Which hardware stood behind an enclave, in one line for people, from the checks of a verdict; null where none got so far that a
 * signature was authenticated. Says nothing about whether the verdict as a whole held.
 */
export function hardwareText(checks: readonly Pick<Check, 'check' | 'seen' | 'ok'>[]): string | null {
  const seenOf = (name: string) => checks.find(({ check, ok }) => check === name && ok)?.seen
  const [kind, signature, measurement] = [seenOf('kind'), seenOf('signature'), seenOf('measurement')]
  if (kind === undefined || signature === undefined) return null
  const name = kind === 'simulated' ? 'SIMULATED, protects nothing' : kind
  const gpus = checks.flatMap(({ check, seen, ok }) => (ok && /^gpu \d+ model$/.test(check) ? [seen] : []))
  return [
    name,
    signature,
    ...(measurement === undefined ? [] : [`measurement ${measurement}`]),
    ...(gpus.length === 0 ? [] : [`GPUs ${gpus.join(', ')}`]),
  ].join('; ')
}
