/** The example contract with a model as an input: the lab lets both hospitals score their own patients. For specs. */
import { exampleYaml } from './example-contract.js'

/** A dataset of kind model, and an inference that gives each owner the scores of its own rows. */
export const scoringYaml = exampleYaml
  .replace(
    'roles: [requester, recipient] }\n  regulator',
    'roles: [requester, recipient, model] }\n  regulator',
  )
  .replace('witnesses: [north, south, insurer]', 'witnesses: [north, south, insurer, lab]')
  .replace(
    'computations:\n',
    `  risk:
    kind: model
    owners: [lab]
    reseal: { afterDays: 30 }
    format: onnx
    inputs: [ { name: rows, type: float32, columns: 2 } ]
    output: { name: scores, type: float32 }
computations:
  own_risks:
    kind: infer
    model: risk
    over: [stays]
    features: [age, readmitted]
    requesters: [lab]
    limit: 10
    outputs:
      norths: { recipients: [north], rowsOf: north, controls: [ { roundTo: { score: "0.01" } } ] }
      souths: { recipients: [south], rowsOf: south, controls: [ { roundTo: { score: "0.01" } } ] }
`,
  )
