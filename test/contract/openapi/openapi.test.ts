import { readFileSync } from 'node:fs'
import { lint, loadConfig } from '@redocly/openapi-core'
import { describe, expect, it } from 'vitest'
import { fromRoot } from '../../../dev/bundle.ts'
import { openApiDocument } from '../../../dev/openapi/document.ts'
import { PROBLEM_CODES } from '../../../src/routes/schemas/problem.ts'
import { apiDocument } from './api-document.ts'

const FILE = fromRoot('public/openapi.json')

describe('the API document', () => {
  it('matches the schemas of the routes (if not: npm run openapi)', async () => {
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(await openApiDocument())))
  })

  it('passes the linter', async () => {
    const config = await loadConfig({ configPath: fromRoot('redocly.yaml') })
    const problems = await lint({ ref: FILE, config })
    expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([])
  })

  it('lists the operations of the API reference first, in its order', () => {
    const paths = [...new Set(apiDocument().operations.map(({ path }) => path))]
    expect(paths.slice(0, 7)).toEqual([
      ...['/health', '/oauth/start/{company_key}', '/oauth/callback'],
      ...['/api/token/{company_key}', '/api/token/{company_key}/refresh'],
      ...['/api/connections/{company_key}', '/api/connections'],
    ])
    expect(paths.slice(-3)).toEqual(['/api/connections/summary', '/api/connections/{company_key}/status', '/ready'])
  })

  it('documents every problem code', () => {
    const { operations, documentedFeatures } = apiDocument()
    const documented = operations.flatMap(documentedFeatures).map((feature) => feature.split(' ')[1])
    expect(PROBLEM_CODES.filter((code) => !documented.includes(code))).toEqual([])
  })
})
