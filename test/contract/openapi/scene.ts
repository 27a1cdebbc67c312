import { freshRealm } from '../../support/fixtures.ts'
import type { Service } from '../../support/worker-harness.ts'
import type { DocumentedOperation } from './api-document.ts'
import type { Deployments, Visit } from './deployments.ts'

/** An operation to request, and the `Accept` header. */
export interface Scene extends Deployments {
  operation: DocumentedOperation
  accept: string
}

export const CALLBACK = '/oauth/callback'
export const SUMMARY = '/api/connections/summary'
const UNKNOWN_STATE = `beach:${'A'.repeat(22)}`

export const visitTo = ({ operation, accept }: Scene, key: string): Visit => ({
  path:
    operation.path.replace('{company_key}', key) +
    (operation.path === CALLBACK ? `?code=a&state=${UNKNOWN_STATE}` : ''),
  method: operation.method.toUpperCase(),
  headers: { Accept: accept },
})

/** Prepares a request that succeeds. */
export const goodVisit = async (
  scene: Scene,
  service: Service,
  key: string,
  realmId = freshRealm(),
): Promise<Visit> => {
  const { path } = scene.operation
  if (path === SUMMARY) await service.scheduled()
  if (path === CALLBACK) return { ...visitTo(scene, key), path: await service.consented(key, { realmId }) }
  if (path.startsWith('/api/') && path.includes('{company_key}')) await service.connect(key, { realmId })
  return visitTo(scene, key)
}

export const withHeaders = (visit: Visit, headers: Record<string, string>): Visit => ({
  ...visit,
  headers: { ...visit.headers, ...headers },
})
export const withBody = (visit: Visit, body: object): Visit => ({
  ...withHeaders(visit, { 'Content-Type': 'application/json' }),
  body: JSON.stringify(body),
})
export const withQuery = (visit: Visit, change: (query: URLSearchParams) => void): Visit => {
  const url = new URL(visit.path, 'http://localhost')
  change(url.searchParams)
  return { ...visit, path: `${url.pathname}${url.search}` }
}

/** Changes attributes of a stored connection. */
export const alter = async (
  { dynamo }: Service,
  key: string,
  change: Record<string, { S: string } | { N: string }>,
) => {
  const item = await dynamo.item(`connection#${key}`)
  if (!item) throw new Error(`There is no record of ${key}.`)
  await dynamo.put({ ...item, ...change })
}
export const EXPIRED = { access_token_expires_at: { N: '1' } }
