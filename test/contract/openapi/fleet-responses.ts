import { freshKey } from '../../support/fixtures.ts'
import { send } from './deployments.ts'
import { type Scene, visitTo } from './scene.ts'

/** Reads connections in every state: unfinished, refreshed, failing, disconnected. */
const readEveryState = async <Seen>({ whole }: Scene, look: (companyKey: string) => Promise<Seen>): Promise<Seen[]> => {
  const [begun, key] = [freshKey(), freshKey()]
  const refresh = () => whole.api(`/api/token/${key}/refresh`, { method: 'POST' })
  await whole.fetch(`/oauth/start/${begun}`)
  await whole.connect(key)
  await refresh()
  const seen = [await look(begun), await look(key)]
  await whole.intuit.fault({ endpoint: 'token', times: 9, fault: { kind: 'status', status: 503 } })
  await refresh()
  await whole.intuit.heal()
  seen.push(await look(key))
  await whole.api(`/api/connections/${key}`, { method: 'DELETE' })
  return [...seen, await look(key)]
}

const requestStatus = (scene: Scene): Promise<Response[]> =>
  readEveryState(scene, (key) => send(scene.whole, visitTo(scene, key)))

/** Without the fleet index, and pages of the list with it. */
const requestLists = async (scene: Scene): Promise<Response[]> => {
  const visit = visitTo(scene, '')
  const pages = await readEveryState(scene, () => send(scene.whole, { ...visit, path: `${visit.path}?limit=100` }))
  const asked = ['limit=1', 'status=unfinished', 'environment=sandbox', 'limit=101', 'cursor=another']
  const others = asked.map((query) => send(scene.whole, { ...visit, path: `${visit.path}?${query}` }))
  return Promise.all([send(scene.signing, visit), ...pages, ...others])
}

/** With a fault: details with an API key, and the status alone without one. */
const requestReadiness = ({ rateLimited }: Scene): Promise<Response[]> =>
  Promise.all([rateLimited.api('/ready'), rateLimited.fetch('/ready')])

const MORE_RESPONSES: Record<string, (scene: Scene) => Promise<Response[]>> = {
  getConnectionStatus: requestStatus,
  listConnections: requestLists,
  getReadiness: requestReadiness,
}

/** Further responses of the routes for operators. */
export const requestFleetResponses = async (scene: Scene): Promise<Response[]> =>
  (await MORE_RESPONSES[scene.operation.id]?.(scene)) ?? []
