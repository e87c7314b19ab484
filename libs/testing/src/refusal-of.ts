import { AttestationError } from '#libs/attestation'

/**
 * The refusal in which something ends that must not hold.
 * @throws whatever else it ends in; Error where it was not refused at all.
 */
export async function refusalOf(act: () => unknown): Promise<AttestationError> {
  try {
    await act()
  } catch (error) {
    if (error instanceof AttestationError) return error
    throw error
  }
  throw new Error('was not refused')
}
