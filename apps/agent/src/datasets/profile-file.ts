import { withEngine, type ProfileReport } from '#libs/engine'
import type { SourceFile } from './source-file.js'
import type { TablePlan } from './dataset-plan.js'

export interface ReadingOptions {
  readonly delimiter?: ',' | ';' | '\t' | '|'
}

/** Profiles a file against a plan, in a sandboxed child. */
export async function profileSource(
  source: SourceFile,
  plan: TablePlan,
  options: ReadingOptions,
): Promise<ProfileReport> {
  const { fd } = source.file
  return await withEngine({ descriptors: [{ fd, access: 'read' }] }, (engine) =>
    engine.profile(fd, source.format, plan.rules, { ...options, unit: plan.unit }),
  )
}
