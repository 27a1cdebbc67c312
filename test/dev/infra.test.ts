import { readFileSync } from 'node:fs'
import { type CreateTableCommandInput, DescribeTableCommand, type TableDescription } from '@aws-sdk/client-dynamodb'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlias, isScalar, isSeq, parse, parseDocument, visit } from 'yaml'
import { type Engine, startDynamoDb } from '../../dev/dynamodb.ts'
import { createTable } from '../../dev/table.ts'
import { TTL_ATTRIBUTE } from '../../dev/table-definition.ts'
import { adminClient } from '../support/engine.ts'
import { type Parameters, resolved } from './template.ts'

const source = (path: string) => readFileSync(path, 'utf8')

const replica = (Region: string) => ({
  Region,
  DeletionProtectionEnabled: true,
  PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
})

const TABLE = v.object({
  Type: v.literal('AWS::DynamoDB::GlobalTable'),
  DeletionPolicy: v.literal('Retain'),
  UpdateReplacePolicy: v.literal('Retain'),
  Properties: v.looseObject({
    TableName: v.string(),
    StreamSpecification: v.optional(v.unknown()),
    Replicas: v.array(v.unknown()),
  }),
})
const table = (parameters: Parameters = {}) =>
  v.parse(TABLE, resolved(source('infra/table.yaml'), parameters).Resources['Table']).Properties

describe.each(['infra/table.yaml', 'infra/access.yaml'])('%s', (path) => {
  it('uses only the YAML that CloudFormation supports: no aliases, no merges, no foreign tags', () => {
    const document = parseDocument(source(path), { logLevel: 'silent' })
    expect(document.errors).toEqual([])
    const strange: string[] = []
    visit(document, (_, node) => {
      if (isAlias(node)) strange.push(`*${node.source}`)
      if (isScalar(node) && node.value === '<<') strange.push('<<')
      if (
        (isScalar(node) || isSeq(node)) &&
        node.tag?.startsWith('!') &&
        !/^!(Ref|Sub|If|Equals|Not|And)$/.test(node.tag)
      )
        strange.push(node.tag)
    })
    expect(strange).toEqual([])
  })
})

describe('infra/table.yaml', () => {
  let engine: Engine
  let made: TableDescription | undefined
  beforeAll(async () => {
    engine = await startDynamoDb()
    const client = adminClient(engine.url)
    await createTable(client, 'quickbooks-connections')
    made = (await client.send(new DescribeTableCommand({ TableName: 'quickbooks-connections' }))).Table
  })
  afterAll(() => engine.close())

  it('creates the same table as table:create: name, key, index, billing', () => {
    const sorted = (attributes: CreateTableCommandInput['AttributeDefinitions']) =>
      [...(attributes ?? [])].sort((a, b) => String(a.AttributeName).localeCompare(String(b.AttributeName)))
    const index = made?.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema, Projection }) => ({
      IndexName,
      KeySchema,
      Projection,
    }))
    const template = table()
    expect({
      ...template,
      AttributeDefinitions: sorted(v.parse(v.array(v.any()), template['AttributeDefinitions'])),
    }).toMatchObject({
      TableName: made?.TableName,
      BillingMode: made?.BillingModeSummary?.BillingMode,
      AttributeDefinitions: sorted(made?.AttributeDefinitions),
      KeySchema: made?.KeySchema,
      GlobalSecondaryIndexes: index,
      TimeToLiveSpecification: { AttributeName: TTL_ATTRIBUTE, Enabled: true },
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
    })
    expect(index).toHaveLength(1)
  })

  it('projects no token, hash or lease into the index, and no more than DynamoDB allows', () => {
    const shown = made?.GlobalSecondaryIndexes?.[0]?.Projection?.NonKeyAttributes ?? []
    expect(
      shown.filter((name) => /^(access_token|refresh_token|refresh_token_hash|written_by)$|lease/.test(name)),
    ).toEqual([])
    expect(shown.length).toBeGreaterThan(0)
    expect(shown.length).toBeLessThanOrEqual(20)
  })

  it('creates a table in one region, without a stream, by default', () => {
    const { Replicas, StreamSpecification } = table()
    expect(Replicas).toEqual([replica('us-east-1')])
    expect(StreamSpecification).toBeUndefined()
  })

  it('accepts one to three replicas, each with deletion protection and backups', () => {
    const one = table({ Stream: 'on', ReplicaRegion1: 'eu-west-1' })
    expect(one.Replicas).toEqual([replica('us-east-1'), replica('eu-west-1')])
    expect(one.StreamSpecification).toEqual({ StreamViewType: 'NEW_AND_OLD_IMAGES' })
    const regions = { ReplicaRegion1: 'eu-west-1', ReplicaRegion2: 'ap-southeast-2', ReplicaRegion3: 'sa-east-1' }
    const three = table({ Stream: 'on', ...regions })
    expect(three.Replicas).toEqual(['us-east-1', ...Object.values(regions)].map(replica))
  })

  it('rejects replicas without the stream that they need', () => {
    const assertions = (parameters: Parameters) => resolved(source('infra/table.yaml'), parameters).failedAssertions
    expect(assertions({})).toEqual([])
    expect(assertions({ Stream: 'on', ReplicaRegion2: 'eu-west-1' })).toEqual([])
    for (const number of [1, 2, 3]) {
      expect(assertions({ [`ReplicaRegion${number}`]: 'eu-west-1' })).toEqual(['Replicas need Stream=on.'])
    }
  })
})

const oneOrMore = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((value) => [value].flat()),
)
const POLICY = v.object({
  Properties: v.object({
    PolicyDocument: v.object({
      Version: v.literal('2012-10-17'),
      Statement: v.array(
        v.strictObject({
          Sid: v.string(),
          Effect: v.literal('Allow'),
          Action: oneOrMore,
          Resource: v.string(),
          Condition: v.optional(v.unknown()),
        }),
      ),
    }),
  }),
})
const statements = (name: string, parameters: Parameters = {}) =>
  v.parse(POLICY, resolved(source('infra/access.yaml'), parameters).Resources[name]).Properties.PolicyDocument.Statement
const actions = (name: string, parameters?: Parameters) =>
  statements(name, parameters)
    .flatMap(({ Action }) => Action)
    .map((action) => action.replace(/^dynamodb:/, ''))
const named = (path: string, pattern: RegExp) =>
  [...source(path).matchAll(pattern)].map(([, name, other = '']) => name ?? other)
const unique = (names: string[]) => [...new Set(names)].sort((a, b) => a.localeCompare(b))

const TABLE_ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/quickbooks-connections'

describe('infra/access.yaml', () => {
  it('allows the Worker only the operations that its source calls', () => {
    const called = named('src/storage/dynamodb.ts', /\b(?:read|write|send)\('([A-Z]\w+)'/g)
    expect(called.length).toBeGreaterThan(0)
    expect(unique(actions('WorkerPolicy'))).toEqual(unique(called))
  })

  it('allows the Worker to write and query in the primary region only, over TLS only', () => {
    const policy = statements('WorkerPolicy')
    const resources = Object.fromEntries(policy.map(({ Sid, Resource }) => [Sid, Resource]))
    expect(resources).toEqual({
      Writes: TABLE_ARN,
      Reads: TABLE_ARN.replace('us-east-1', '*'),
      Fleet: `${TABLE_ARN}/index/fleet`,
    })
    for (const { Condition } of policy) expect(Condition).toEqual({ Bool: { 'aws:SecureTransport': 'true' } })
  })

  it('creates a user for the Worker with that policy only, and no access key that the stack would show', () => {
    const { Resources } = resolved(source('infra/access.yaml'))
    expect(Resources['Worker']).toEqual({
      Type: 'AWS::IAM::User',
      Properties: { ManagedPolicyArns: [{ Ref: 'WorkerPolicy' }] },
    })
    expect(JSON.stringify(Resources)).not.toContain('AWS::IAM::AccessKey')
  })

  it('allows an operator only the operations that the scripts call', () => {
    const scripts = [
      'dev/table.ts',
      'dev/doctor/table.ts',
      'dev/import/from-table.ts',
      'dev/import/target.ts',
      'dev/reseal/connections.ts',
    ]
    const called = scripts.flatMap((path) => named(path, /new ([A-Z]\w+)Command\(|paginate([A-Z]\w+)\(/g))
    expect(unique(actions('OperatorPolicy', { ImportTableName: 'old-table' }))).toEqual(unique(called))
  })

  it('allows an operator to read another table only if the parameter names one', () => {
    const others = (parameters: Parameters) =>
      statements('OperatorPolicy', parameters)
        .filter(({ Resource }) => Resource !== TABLE_ARN)
        .map(({ Action, Resource }) => ({ Action, Resource }))
    expect(others({})).toEqual([])
    expect(others({ ImportTableName: 'old-table' })).toEqual([
      { Action: ['dynamodb:Scan'], Resource: TABLE_ARN.replace('quickbooks-connections', 'old-table') },
    ])
  })
})

const POLICY_DOCUMENT = v.object({
  Statement: v.array(
    v.object({
      Action: v.union([v.string(), v.array(v.string())]),
      Resource: v.string(),
      Condition: v.optional(v.unknown()),
    }),
  ),
})

describe('the README', () => {
  it('has a policy for the Worker that is as tight as the template', () => {
    const [, json = ''] = /```json\n([\s\S]*?)```/.exec(source('README.md')) ?? []
    const { Statement } = v.parse(POLICY_DOCUMENT, JSON.parse(json))
    const actions = (pattern: RegExp) =>
      Statement.filter(({ Resource }) => pattern.test(Resource)).flatMap(({ Action }) => [Action].flat())
    expect(new Set(actions(/table\/TABLE$/))).toEqual(
      new Set(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem']),
    )
    expect(actions(/table\/TABLE\/index\/fleet$/)).toEqual(['dynamodb:Query'])
    for (const { Condition } of Statement) expect(Condition).toEqual({ Bool: { 'aws:SecureTransport': 'true' } })
  })
})

describe('the install scripts', () => {
  const LOCK = v.object({
    packages: v.record(v.string(), v.object({ integrity: v.optional(v.string()), version: v.optional(v.string()) })),
  })

  it('are allowed for packages that the lock file pins by their digest', () => {
    const { allowScripts } = v.parse(
      v.object({ allowScripts: v.record(v.string(), v.boolean()) }),
      JSON.parse(source('package.json')),
    )
    const { packages } = v.parse(LOCK, JSON.parse(source('package-lock.json')))
    const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name])
    expect(allowed.length).toBeGreaterThan(0)
    for (const name of allowed) {
      const pinned = Object.entries(packages).filter(([path]) => path.endsWith(`node_modules/${name}`))
      expect(pinned, name).toHaveLength(1)
      expect(pinned[0]?.[1].integrity, name).toMatch(/^sha512-/)
    }
  })
})

const WORKFLOW = v.object({
  on: v.record(v.string(), v.unknown()),
  permissions: v.strictObject({ contents: v.literal('read') }),
  jobs: v.record(
    v.string(),
    v.strictObject({
      if: v.optional(v.string()),
      'runs-on': v.string(),
      'timeout-minutes': v.number(),
      needs: v.optional(v.string()),
      environment: v.optional(v.string()),
      steps: v.array(
        v.object({
          uses: v.optional(v.string()),
          run: v.optional(v.string()),
          env: v.optional(v.record(v.string(), v.string())),
        }),
      ),
    }),
  ),
})
const workflow = (name: string) => v.parse(WORKFLOW, parse(source(`.github/workflows/${name}.yml`)))

describe('the workflows', () => {
  it.each(['ci', 'deploy'])('of %s can only read, and pin actions to commits', (name) => {
    const used = Object.values(workflow(name).jobs).flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []))
    expect(used.length).toBeGreaterThan(0)
    expect(used.filter((action) => !/^actions\/[a-z-]+@[0-9a-f]{40}$/.test(action))).toEqual([])
  })

  it('check every push with .ci/run, without secrets', () => {
    const { on, jobs } = workflow('ci')
    expect(Object.keys(on)).toEqual(['push', 'pull_request'])
    expect(jobs['check']?.steps.at(-1)?.run).toBe('.ci/run')
    expect(source('.github/workflows/ci.yml')).not.toContain('secrets.')
  })

  it('deploy only the main branch, and install nothing in the job that has the secrets', () => {
    const { jobs } = workflow('deploy')
    for (const job of Object.values(jobs)) expect(job.if).toBe("github.ref == 'refs/heads/main'")
    const commands = jobs['deploy']?.steps.flatMap(({ run }) => run ?? []) ?? []
    expect(commands.length).toBeGreaterThan(0)
    expect(
      commands.filter((command) => /\b(npm|npx|pnpm|yarn) (i|ci|install|add|exec)\b|npx|\.ci\/run/.test(command)),
    ).toEqual([])
  })

  it('deploy only when started by hand, after the checks, with secrets in the deploying step only', () => {
    const { on, jobs } = workflow('deploy')
    expect(Object.keys(on)).toEqual(['workflow_dispatch'])
    expect(jobs['deploy']?.needs).toBe('check')
    const withSecrets = Object.values(jobs)
      .flatMap(({ steps }) => steps)
      .filter(({ env }) => JSON.stringify(env ?? {}).includes('secrets.'))
    expect(withSecrets.map(({ run }) => run)).toEqual(['npm run deploy'])
  })
})
