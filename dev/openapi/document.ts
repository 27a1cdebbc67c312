import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { fromRoot } from '../bundle.ts'
import { HEADERS, HEADERS_ON_EVERY_RESPONSE, type HeaderName } from './headers.ts'
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
import { toProblemResponses } from './problems.ts'
import { SCHEMAS } from './schemas.ts'

/** In the order of the API reference, then the operations that it does not have. */
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
  { name: 'Health', description: 'Health check for load balancers.' },
  { name: 'OAuth', description: 'A person’s consent in a browser.' },
  { name: 'Tokens', description: 'Access tokens for programs.' },
  { name: 'Connections', description: 'What is stored about a company, without tokens.' },
  { name: 'Pages', description: 'Pages for the person who connects a company.' },
  { name: 'Operators', description: 'The state of the deployment and its connections.' },
]

const DESCRIPTION = `Connects QuickBooks companies with OAuth, stores their tokens, and returns a valid access token for a company key.

**Times** are integers, in Unix seconds. **Errors** are \`application/problem+json\` (RFC 9457) with a stable \`code\`; \`detail\` says what to do next. An unknown path returns 404 \`not_found\`.

**HEAD** works wherever GET does, except on the two OAuth routes. They return 405, because a request to them creates or uses a state.

**Every response** also has the headers ${HEADERS_ON_EVERY_RESPONSE.map((name) => `\`${name}\``).join(', ')}.`

const references = (kind: 'headers' | 'parameters', names: string[]) =>
  names.map((name) => ({ $ref: `#/components/${kind}/${name}` }))

const toHeaders = (names: HeaderName[]) => {
  const all = ['X-Request-Id', 'Cache-Control', ...names]
  return Object.fromEntries(references('headers', all).map((reference, index) => [all[index], reference]))
}

/**
 * On `/oauth/*` a problem is a page if the client prefers HTML. The callback's page redirects to one whose URL has no code.
 */
const toResponses = ({ answers, problems, path }: Operation) => {
  const canBePage = path.startsWith('/oauth/')
  const successes = Object.entries(answers).map(([status, { headers, ...answer }]) => [
    status,
    { ...answer, headers: toHeaders(headers) },
  ])
  const failures = toProblemResponses(problems).map(({ status, description, headers, content }) => [
    String(status),
    {
      description,
      headers: toHeaders(path === '/oauth/callback' ? [...headers, 'Refresh', 'Set-Cookie'] : headers),
      content: { 'application/problem+json': content, ...(canBePage ? HTML : {}) },
    },
  ])
  return Object.fromEntries([...successes, ...failures])
}

/** Empty if the document's default security applies. */
const toSecurity = ({ isOpen, isKeyOptional }: Operation) => {
  if (isKeyOptional) return { security: [{}, { headerKey: [] }] }
  return isOpen ? { security: [] } : {}
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

const toPaths = () => {
  const byPath: Record<string, Record<string, unknown>> = {}
  for (const operation of OPERATIONS) {
    byPath[operation.path] = { ...byPath[operation.path], [operation.method]: toOperation(operation) }
  }
  return byPath
}

const mapValues = <Name extends string, From, To>(from: Record<Name, From>, to: (one: From) => To) =>
  Object.fromEntries(Object.entries<From>(from).map(([name, one]) => [name, to(one)]))

const PACKAGE = v.object({ version: v.string() })

/** The API document, in OpenAPI 3.1. */
export const openApiDocument = async () => {
  const { version } = v.parse(PACKAGE, JSON.parse(await readFile(fromRoot('package.json'), 'utf8')))
  return {
    openapi: '3.1.1',
    info: { title: 'QuickBooks token broker', version, description: DESCRIPTION },
    servers: [{ url: '/', description: 'This deployment' }],
    security: [{ headerKey: [] }, { queryKey: [] }],
    tags: TAGS,
    paths: toPaths(),
    components: {
      securitySchemes: {
        headerKey: {
          type: 'apiKey',
          in: 'header',
          name: 'X-API-Key',
          description: 'Preferred. If you send both, the header is used.',
        },
        queryKey: {
          ...{ type: 'apiKey', in: 'query', name: 'api_key' },
          description: 'Also accepted, unless the operator turned it off. Logs of proxies and clients may contain it.',
        },
      },
      parameters: mapValues(PARAMETERS, ({ schema, ...parameter }) => {
        const { description, ...format } = jsonSchema(schema)
        return { ...parameter, description, schema: format }
      }),
      headers: HEADERS,
      examples: problemExamples(OPERATIONS.flatMap(({ problems }) => problems)),
      schemas: mapValues(SCHEMAS, jsonSchema),
    },
  }
}
