import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiDocument } from './api-document.ts'
import { type Deployments, startDeployments } from './deployments.ts'
import { requestEveryResponse } from './every-response.ts'

const { operations, documentedFeatures, checkResponse } = apiDocument()

let deployments: Deployments
beforeAll(async () => {
  deployments = await startDeployments()
})
afterAll(() => deployments.close())

describe('the running Worker', () => {
  it.each(operations.map((operation) => [operation.id, operation] as const))(
    'answers %s with everything that is documented, and with nothing else',
    async (_, operation) => {
      const documented = documentedFeatures(operation)
      const answers = await requestEveryResponse(deployments, operation, documented)
      const checked = await Promise.all(answers.map((answer) => checkResponse(operation, answer)))
      expect(checked.flatMap(({ faults }) => faults)).toEqual([])
      const shown = new Set(checked.flatMap((one) => one.shown))
      expect(shown).toEqual(new Set(documented))
    },
    120_000,
  )
})
