/**
 * Which columns are learned from: those that rest on enough units, and beside which no few units are left over.
 * Does not see what only several columns together set apart; of one unit leverage.ts does.
 */
import { blockRows, type Part } from './blocks.js'
import type { Support, TrainingPlan } from './plan.js'
import { countUnits, isEnough, leastOf, noUnits } from './support.js'

/** Columns in their order: on how many units each rests, and which may be learned from. */
export interface Chosen {
  readonly supports: readonly Support[]
  readonly columns: readonly number[]
}

/** Chooses among the columns of rows that are not prepared yet. The support of all rows bounds that of each. */
export function chooseColumns(
  train: Part,
  plan: TrainingPlan,
  rowsSupport: Support,
  columnSupports: readonly Support[],
): Chosen {
  const { minimumUnits } = plan
  const supports = columnSupports.map((support) => leastOf(rowsSupport, support))
  const enough = plan.columns.flatMap((_design, column) =>
    isEnough(supports[column] ?? [], minimumUnits) ? [column] : [],
  )
  const given = new Set(
    [...textsOf(plan, enough)].flatMap((levels) =>
      leavesFewOver(train, levels, plan) ? [smallest(levels, supports)] : [],
    ),
  )
  return { supports, columns: enough.filter((column) => !given.has(column)) }
}

function textsOf({ columns }: TrainingPlan, chosen: readonly number[]): Iterable<readonly number[]> {
  const texts = new Map<number, number[]>()
  for (const column of chosen) {
    const text = columns[column]?.text ?? null
    if (text !== null) texts.set(text, [...(texts.get(text) ?? []), column])
  }
  return texts.values()
}

/** Whether some rows, but too few units, have none of these levels: without a penalty the intercept would be their mean. */
function leavesFewOver(
  train: Part,
  levels: readonly number[],
  { unitClasses, minimumUnits }: TrainingPlan,
): boolean {
  const units = noUnits(unitClasses)
  let rows = 0
  for (const block of train.blocks)
    for (let i = 0; i < block.rows; i++) {
      if (levels.some((column) => block.columns[column * blockRows + i] === 1)) continue
      rows++
      countUnits(units, block.classes[i] ?? 0)
    }
  return rows > 0 && !isEnough(units, minimumUnits)
}

// It joins those who are left over, who are enough then, since it is enough by itself.
function smallest(levels: readonly number[], supports: readonly Support[]): number {
  const units = (column: number): number => Math.min(...(supports[column] ?? []))
  return levels.reduce((least, column) => (units(column) <= units(least) ? column : least))
}
