import type { ProblemCode } from '../../../src/problem.ts'
import { freshAddress, freshKey, freshRealm } from '../../support/fixtures.ts'
import type { Service } from '../../support/worker-harness.ts'
import type { DocumentedOperation } from './api-document.ts'
import { type Deployments, send, UNAUTHORIZED_KEY, type Visit } from './deployments.ts'
import { requestFleetResponses } from './fleet-responses.ts'
import { alter, CALLBACK, EXPIRED, goodVisit, type Scene, visitTo, withBody, withHeaders, withQuery } from './scene.ts'

const plain = (change: (visit: Visit) => Visit) => (scene: Scene) =>
  send(scene.whole, change(visitTo(scene, freshKey())))
const withHeader = (name: string, value: string) => plain((visit) => withHeaders(visit, { [name]: value }))
const withoutParameter = (name: string) => plain((visit) => withQuery(visit, (query) => query.delete(name)))

/** A good visit with the stored token withAltered, where there is one. */
const alteredVisit = async (scene: Scene, change: Record<string, { S: string } | { N: string }>) => {
  const key = freshKey()
  const visit = await goodVisit(scene, scene.whole, key)
  if (scene.operation.path !== CALLBACK) await alter(scene.whole, key, change)
  return visit
}

const withAltered = (change: Record<string, { S: string } | { N: string }>) => async (scene: Scene) =>
  send(scene.whole, await alteredVisit(scene, change))

const whileTable = (fault: Parameters<Service['dynamo']['fault']>[0]) => async (scene: Scene) => {
  const visit = await goodVisit(scene, scene.whole, freshKey())
  scene.whole.dynamo.fault(fault)
  const answer = await send(scene.whole, visit)
  scene.whole.dynamo.heal()
  return answer
}

const whileIntuitResponds =
  (status: number, error = '') =>
  async (scene: Scene) => {
    const fault = {
      ...{ kind: 'status', status, contentType: 'application/json', body: error && JSON.stringify({ error }) },
      headers: error === '' ? { 'Retry-After': '30' } : {},
    }
    const visit = await alteredVisit(scene, EXPIRED)
    await scene.whole.intuit.fault({ endpoint: 'token', times: 9, fault })
    const answer = await send(scene.whole, visit)
    await scene.whole.intuit.heal()
    return answer
  }

const whileOthersUpdate = whileTable({
  ...{ operation: 'UpdateItem', kind: 'error', status: 400, type: 'ConditionalCheckFailedException' },
})

/** Neither the operator's fault nor worth another attempt, whatever was asked. */
const AWS_ERROR = { __type: 'com.amazon.coral.service#SerializationException', message: 'no' }

/** How each problem is met, at any operation that documents it. */
const REQUESTS: Record<ProblemCode, (scene: Scene) => Promise<Response>> = {
  invalid_company_key: (scene) => send(scene.whole, visitTo(scene, '-bad')),
  invalid_company_name: plain((visit) =>
    visit.method === 'POST'
      ? withBody(visit, { company_name: '\u0007' })
      : withQuery(visit, (query) => query.set('company_name', '\u0007')),
  ),
  missing_code: withoutParameter('code'),
  missing_state: withoutParameter('state'),
  invalid_state: plain((visit) => visit),
  authorization_denied: async (scene) =>
    send(
      scene.whole,
      withQuery(await goodVisit(scene, scene.whole, freshKey()), (query) => {
        query.delete('code')
        query.set('error', 'access_denied')
      }),
    ),
  invalid_request: plain((visit) => withQuery(visit, (query) => query.set('x', 'x'.repeat(5000)))),
  invalid_api_key: withHeader('X-API-Key', 'wrong'),
  forbidden: plain((visit) => withHeaders(visit, { 'X-API-Key': UNAUTHORIZED_KEY, 'Sec-Fetch-Dest': 'iframe' })),
  invalid_start_link: (scene) => send(scene.signing, visitTo(scene, freshKey())),
  connection_not_found: async (scene) => {
    const key = freshKey()
    const visit = await goodVisit(scene, scene.whole, key)
    await scene.whole.dynamo.remove(`connection#${key}`)
    return send(scene.whole, visit)
  },
  not_found: async (scene) => {
    const visit = await goodVisit(scene, scene.whole, freshKey())
    await scene.whole.dynamo.remove('cron#fleet')
    return send(scene.whole, visit)
  },
  method_not_allowed: plain((visit) => ({ ...visit, method: 'PUT' })),
  missing_refresh_token: async (scene) => {
    const key = freshKey()
    await scene.whole.fetch(`/oauth/start/${key}`)
    return send(scene.whole, visitTo(scene, key))
  },
  realm_mismatch: async (scene) => {
    const key = freshKey()
    await scene.whole.connect(key, { realmId: freshRealm() })
    return send(scene.whole, await goodVisit(scene, scene.whole, key))
  },
  realm_in_use: async (scene) => {
    const realmId = freshRealm()
    await scene.whole.connect(freshKey(), { realmId })
    return send(scene.whole, await goodVisit(scene, scene.whole, freshKey(), realmId))
  },
  generation_mismatch: async (scene) =>
    send(scene.whole, withHeaders(await goodVisit(scene, scene.whole, freshKey()), { 'If-Match': '"99"' })),
  content_too_large: plain((visit) => withBody(visit, { company_name: 'a'.repeat(5000) })),
  rate_limited: async (scene) => {
    const visit = withHeaders(visitTo(scene, freshKey()), { 'X-API-Key': 'wrong', 'CF-Connecting-IP': freshAddress() })
    // A new minute may begin between two requests.
    let answer = await send(scene.rateLimited, visit)
    for (let more = 2; more > 0 && answer.status !== 429; more--) answer = await send(scene.rateLimited, visit)
    return answer
  },
  configuration_error: (scene) => send(scene.bare, visitTo(scene, freshKey())),
  internal_error: whileTable({ kind: 'answer', status: 400, body: JSON.stringify(AWS_ERROR) }),
  sealed_token_unreadable: withAltered({ access_token: { S: 'sealed:v1:x' }, refresh_token: { S: 'sealed:v1:x' } }),
  token_exchange_failed: whileIntuitResponds(400, 'invalid_request'),
  reconnect_required: whileIntuitResponds(400, 'invalid_grant'),
  intuit_unavailable: whileIntuitResponds(503),
  intuit_rejected_client: whileIntuitResponds(401, 'invalid_client'),
  storage_unavailable: whileTable({ kind: 'error', status: 500, type: 'InternalServerError' }),
  refresh_in_progress: (scene) =>
    scene.operation.method === 'delete'
      ? whileOthersUpdate(scene)
      : withAltered({ ...EXPIRED, lease_owner: { S: 'somebody' }, lease_until: { N: String(Date.now() + 60_000) } })(
          scene,
        ),
  prefetch_refused: withHeader('Sec-Purpose', 'prefetch'),
}

/** The answer that is good, and at the callback the one for an operator with a page of his own. */
const good = async (scene: Scene) => send(scene.whole, await goodVisit(scene, scene.whole, freshKey()))
const startBySignedLink = async (scene: Scene) => {
  const made = await scene.signing.api(`/api/connections/${freshKey()}/start-links`, { method: 'POST' })
  const { pathname, search } = new URL((await made.json()).url)
  return send(scene.signing, { ...visitTo(scene, ''), path: `${pathname}${search}` })
}
const redirectToSuccessPage = async (scene: Scene) =>
  send(scene.rateLimited, await goodVisit(scene, scene.rateLimited, freshKey()))

const isCode = (feature: string): feature is ProblemCode => Object.hasOwn(REQUESTS, feature)

/** Asks an operation for everything that it may answer, in both of the forms that its readers may prefer. */
export const requestEveryResponse = async (
  deployments: Deployments,
  operation: DocumentedOperation,
  documented: string[],
): Promise<Response[]> => {
  const codes = documented.map((feature) => feature.split(' ')[1] ?? '').filter(isCode)
  const answers: Response[] = []
  for (const accept of documented.some((feature) => feature.endsWith('text/html')) ? ['*/*', 'text/html'] : ['*/*']) {
    const scene = { ...deployments, operation, accept }
    answers.push(await good(scene))
    if (documented.includes('303') && accept === 'text/html') answers.push(await redirectToSuccessPage(scene))
    if (operation.id === 'startAuthorization') answers.push(await startBySignedLink(scene))
    answers.push(...(await requestFleetResponses(scene)))
    for (const code of codes) answers.push(await REQUESTS[code](scene))
  }
  return answers
}
