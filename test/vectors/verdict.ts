import { CodedError } from '#libs/canonical'

/** What is seen of code that takes something in or refuses it. */
export type Verdict = 'accepted' | 'refused'

/**
 * Whether an act is refused by a coded error. Anything else that is thrown is no refusal and goes on.
 */
export async function verdictOf(act: () => unknown): Promise<Verdict> {
  try {
    await act()
    return 'accepted'
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return 'refused'
  }
}
