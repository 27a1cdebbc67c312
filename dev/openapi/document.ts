import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { fromRoot } from '../bundle.ts'
import { HEADERS, type HeaderName, ON_EVERY_ANSWER } from './headers.ts'
import { jsonSchema } from './json-schema.ts'
import { HTML, type Operation } from './operation.ts'
import { CONNECTION_OPERATIONS } from './operations/connections.ts'
import { FLEET_OPERATIONS } from './operations/fleet.ts'
import { HEALTH_OPERATIONS, READY_OPERATIONS } from './operations/health.ts'
import { OAUTH_OPERATIONS } from './operations/oauth.ts'
import { PAGE_OPERATIONS } from './operations/pages.ts'
import { TOKEN_OPERATIONS } from './operations/tokens.ts'
import { PARAMETERS } from './parameters.ts'
import { problemExamples } from './problem-examples.ts'
import { problemAnswers } from './problems.ts'
import { SCHEMAS } from './schemas.ts'

/** In the order of the API reference; what it does not have comes after what it has. */
const OPERATIONS: Operation[] = [
  ...HEALTH_OPERATIONS,
  ...OAUTH_OPERATIONS,
  ...TOKEN_OPERATIONS,
  ...CONNECTION_OPERATIONS,
  ...PAGE_OPERATIONS,
  ...FLEET_OPERATIONS,
  ...READY_OPERATIONS,
]

const TAGS = [
  { name: 'Health', description: 'For load balancers.' },
  { name: 'OAuth', description: 'The consent of a person, in a browser.' },
  { name: 'Tokens', description: 'Access tokens for programs.' },
  { name: 'Connections', description: 'What is stored about a company, without its tokens.' },
  { name: 'Pages', description: 'What else a person may come to see.' },
  { name: 'Operators', description: 'How the deployment and its connections stand, for whoever runs it.' },
]

const DESCRIPTION = `Connects QuickBooks companies by OAuth, keeps their tokens, and gives any caller a valid access token by company key.

**Times** are Unix seconds, integers. **Errors** are \`application/problem+json\` (RFC 9457) with a stable \`code\`; \`detail\` says what to do next. An unknown path is 404 \`not_found\`.

**HEAD** works where GET does, but for the two OAuth routes, where it would spend something: 405.

**Every answer** also carries ${ON_EVERY_ANSWER.map((name) => `\`${name}\``).join(', ')}.`

const references = (kind: 'headers' | 'parameters', names: string[]) =>
  names.map((name) => ({ $ref: `#/components/${kind}/${name}` }))

const toHeaders = (names: HeaderName[]) => {
  const all = ['X-Request-Id', 'Cache-Control', ...names]
  return Object.fromEntries(references('headers', all).map((reference, index) => [all[index], reference]))
}

/** On the way of consent a problem is a page where HTML is preferred; the callback’s gives way to one without a code. */
const toResponses = ({ answers, problems, path }: Operation) => {
  const mayBePage = path.startsWith('/oauth/')
  const good = Object.entries(answers).map(([status, { headers, ...answer }]) => [
    status,
    { ...answer, headers: toHeaders(headers) },
  ])
  const bad = problemAnswers(problems).map(({ status, description, headers, content }) => [
    String(status),
    {
      description,
      headers: toHeaders(path === '/oauth/callback' ? [...headers, 'Refresh', 'Set-Cookie'] : headers),
      content: { 'application/problem+json': content, ...(mayBePage ? HTML : {}) },
    },
  ])
  return Object.fromEntries([...good, ...bad])
}

/** Nothing where the keys of the whole document apply. */
const toSecurity = ({ open, keyIsOptional }: Operation) => {
  if (keyIsOptional) return { security: [{}, { headerKey: [] }] }
  return open ? { security: [] } : {}
}

const toOperation = (operation: Operation) => {
  const { id, tag, summary, description, parameters, requestBody } = operation
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    ...toSecurity(operation),
    parameters: references('parameters', parameters),
    ...(requestBody ? { requestBody } : {}),
    responses: toResponses(operation),
  }
}

const paths = () => {
  const byPath: Record<string, Record<string, unknown>> = {}
  for (const operation of OPERATIONS) {
    byPath[operation.path] = { ...byPath[operation.path], [operation.method]: toOperation(operation) }
  }
  return byPath
}

const mapped = <Name extends string, From, To>(from: Record<Name, From>, to: (one: From) => To) =>
  Object.fromEntries(Object.entries<From>(from).map(([name, one]) => [name, to(one)]))

const PACKAGE = v.object({ version: v.string() })

/** The whole API document, OpenAPI 3.1. */
export const openApiDocument = async () => {
  const { version } = v.parse(PACKAGE, JSON.parse(await readFile(fromRoot('package.json'), 'utf8')))
  return {
    openapi: '3.1.1',
    info: { title: 'QuickBooks token broker', version, description: DESCRIPTION },
    servers: [{ url: '/', description: 'This deployment' }],
    security: [{ headerKey: [] }, { queryKey: [] }],
    tags: TAGS,
    paths: paths(),
    components: {
      securitySchemes: {
        headerKey: {
          type: 'apiKey',
          in: 'header',
          name: 'X-API-Key',
          description: 'Preferred. It wins over the other.',
        },
        queryKey: {
          ...{ type: 'apiKey', in: 'query', name: 'api_key' },
          description: 'Works as well, unless the operator turned it off. Other logs may keep it.',
        },
      },
      parameters: mapped(PARAMETERS, ({ schema, ...parameter }) => {
        const { description, ...form } = jsonSchema(schema)
        return { ...parameter, description, schema: form }
      }),
      headers: HEADERS,
      examples: problemExamples(OPERATIONS.flatMap(({ problems }) => problems)),
      schemas: mapped(SCHEMAS, jsonSchema),
    },
  }
}
