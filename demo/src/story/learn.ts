/** What a model owner does at home before anyone asks: a logistic regression of recurrence on the Rotterdam patients, as an ONNX file. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeModel, logisticModel } from '#libs/model'
import { appendBatch, emptyPart, train, workAlone, type TrainingPlan } from '#libs/training'
import { root } from '../stack/processes.js'

/** What the model takes, in this order. */
export const features = ['age', 'over_20', 'over_50', 'grade', 'nodes', 'pgr', 'er', 'hormon'] as const

/** The file of a model that is fitted to `rotterdam.csv`. */
export async function rotterdamModel(): Promise<Uint8Array> {
  const rows = await readCsv('rotterdam.csv')
  const numbers = (column: string) => rows.map((row) => Number(row[column]))
  const columns = features.map((feature) => {
    if (feature === 'over_20') return rows.map(({ size }) => (size === '<=20' ? 0 : 1))
    if (feature === 'over_50') return rows.map(({ size }) => (size === '>50' ? 1 : 0))
    return numbers(feature)
  })
  const target = rows.map(({ recur, death }) => (recur === '1' || death === '1' ? 1 : 0))
  const parts = { train: emptyPart(features.length), test: emptyPart(features.length) }
  const nobody = rows.map(() => 0)
  appendBatch(parts, { rows: rows.length, columns, target, part: nobody, classes: nobody.map(() => 1) })
  const report = train(plan, parts, workAlone(features.length))
  if (report.status !== 'trained') throw new Error(`the model was not trained: ${report.status}`)
  // Centring and scaling folded into weights and intercept: the file takes numbers as people have them.
  const weights = report.columns.map(({ coefficient, scale }) => coefficient / scale)
  const shift = report.columns.reduce((sum, { centre }, i) => sum + centre * (weights[i] ?? 0), 0)
  return encodeModel(logisticModel(weights, report.intercept - shift))
}

const plan: TrainingPlan = {
  ...{ algorithm: 'logistic-regression', l2: 1, unitClasses: 1, minimumUnits: 1 },
  columns: features.map(() => ({ scale: true, impute: null, text: null })),
}

/** Rows of one of the studies, by column. */
export async function readCsv(file: string): Promise<readonly Readonly<Record<string, string>>[]> {
  const text = await readFile(join(root, 'demo/data/breast', file), 'utf8')
  const [head = '', ...lines] = text.trim().split('\n')
  const names = head.split(',')
  return lines.map((line) => {
    const fields = line.split(',')
    return Object.fromEntries(names.map((name, i) => [name, fields[i] ?? '']))
  })
}
