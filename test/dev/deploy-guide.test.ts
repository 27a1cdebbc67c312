import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, startDynamoDb } from '../../dev/dynamodb.ts'
import { runCommand } from './run-command.ts'

const guide = readFileSync('docs/deploy.md', 'utf8')
/** The lines of sample output in the guide that match. */
const findSamples = (pattern: RegExp) => [...guide.matchAll(pattern)].map(([line]) => line.trim())

/** Features that the embedded engine does not have, so their lines differ from those of DynamoDB. */
const NOT_EMBEDDED = /^ok +(expiry \(TTL\)|point-in-time backup|deletion protection)/
/** In place of the guide's host, which the doctor recognises as a placeholder. */
const HOST = 'broker.acme.test'

let engine: Engine
beforeAll(async () => {
  engine = await startDynamoDb()
})
afterAll(() => engine.close())

const createEnvironment = () => ({
  API_KEY: 'a-key-of-thirty-two-characters-or-more',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
  DYNAMODB_TABLE: 'quickbooks-connections',
  DYNAMODB_ENDPOINT: engine.url,
  DYNAMODB_FLEET_INDEX: 'fleet',
  QUICKBOOKS_CLIENT_ID: 'production-id',
  QUICKBOOKS_CLIENT_SECRET: 'production-secret',
  QUICKBOOKS_SANDBOX_CLIENT_ID: 'sandbox-id',
  QUICKBOOKS_SANDBOX_CLIENT_SECRET: 'sandbox-secret',
  QUICKBOOKS_REDIRECT_URI: `https://${HOST}/oauth/callback`,
  TOKEN_ENCRYPTION_KEYS: `2026-01:${Buffer.alloc(32, 7).toString('base64')}`,
  START_LINKS: 'signed',
  START_LINK_KEYS: `2026-01:${Buffer.alloc(32, 8).toString('base64')}`,
  API_KEY_IN_QUERY: 'false',
  QUICKBOOKS_SCOPES: 'com.intuit.quickbooks.accounting openid',
})

describe('the sample output of the deployment guide', () => {
  it('is what table:create and then the doctor print', async () => {
    const created = await runCommand('table-create.ts', createEnvironment())
    const [sample = ''] = findSamples(/^ {4}Created the table.*$/gm)
    const sentences = sample.split('. ')
    expect(created.output).toContain(sentences[0])
    expect(created.output).toContain(sentences.at(-1))

    const { output } = await runCommand('doctor.ts', createEnvironment(), ['--env', '--local'])
    const printed = output.replaceAll(HOST, 'broker.example.com').split('\n')
    const checks = findSamples(/^ {4}ok {4}(?!secrets on the Worker).*$/gm).filter((line) => !NOT_EMBEDDED.test(line))
    expect(checks.length).toBeGreaterThan(10)
    expect(checks.filter((line) => !printed.includes(line))).toEqual([])

    const toForm = (line: string) => line.replace(/\d+/g, 'N')
    const summaries = findSamples(/^ {4}\d+ ok, .*$/gm).map(toForm)
    expect(summaries).toHaveLength(1)
    expect(printed.map(toForm)).toContain(summaries[0])
  })
})
