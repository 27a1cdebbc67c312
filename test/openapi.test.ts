import { readFileSync } from 'node:fs'
import { lint, loadConfig } from '@redocly/openapi-core'
import { describe, expect, it } from 'vitest'
import { fromRoot } from '../dev/bundle.ts'
import { openApiDocument } from '../dev/openapi/document.ts'
import { apiDocument } from './support/api-document.ts'

const FILE = fromRoot('public/openapi.json')

describe('the API document', () => {
  it('is what the schemas of the routes say (else: npm run openapi)', async () => {
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(await openApiDocument())))
  })

  it('passes the linter', async () => {
    const config = await loadConfig({ configPath: fromRoot('redocly.yaml') })
    const problems = await lint({ ref: FILE, config })
    expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([])
  })

  it('tells what the API reference tells first, in its order', () => {
    expect(
      apiDocument()
        .operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`)
        .slice(0, 7),
    ).toEqual([
      'GET /health',
      'GET /oauth/start/{company_key}',
      'GET /oauth/callback',
      'GET /api/token/{company_key}',
      'POST /api/token/{company_key}/refresh',
      'GET /api/connections/{company_key}',
      'GET /api/connections',
    ])
  })
})
