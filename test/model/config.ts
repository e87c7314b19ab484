import { slow } from '#libs/testing'

const number = (name: string) => {
  const text = process.env[name]
  return text === undefined ? undefined : Number(text)
}

/** How long to look, and which sequence to look at again; see model.spec.ts. */
export const config = {
  runs: number('MODEL_RUNS') ?? (slow ? 2000 : 20),
  length: number('MODEL_LENGTH') ?? (slow ? 60 : 25),
  seed: number('MODEL_SEED'),
  path: process.env['MODEL_PATH'],
  replayPath: process.env['MODEL_REPLAY'],
}
