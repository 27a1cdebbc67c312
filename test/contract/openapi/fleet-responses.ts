import { freshKey } from '../../support/fixtures.ts'
import { send } from './deployments.ts'
import { type Scene, visitTo } from './scene.ts'

/** Looks at connections that stand in every way: never finished, refreshed, failing since, disconnected. */
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

/** The placeholder, and pages of the list. */
const requestLists = async (scene: Scene): Promise<Response[]> => {
  const visit = visitTo(scene, '')
  const pages = await readEveryState(scene, () => send(scene.whole, { ...visit, path: `${visit.path}?limit=100` }))
  const asked = ['limit=1', 'status=unfinished', 'environment=sandbox', 'limit=101', 'cursor=another']
  const others = asked.map((query) => send(scene.whole, { ...visit, path: `${visit.path}?${query}` }))
  return Promise.all([send(scene.signing, visit), ...pages, ...others])
}

/** Something is wrong: a holder of a key hears what, all others that. */
const requestReadiness = ({ rateLimited }: Scene): Promise<Response[]> =>
  Promise.all([rateLimited.api('/ready'), rateLimited.fetch('/ready')])

const MORE_RESPONSES: Record<string, (scene: Scene) => Promise<Response[]>> = {
  getConnectionStatus: requestStatus,
  listConnections: requestLists,
  getReadiness: requestReadiness,
}

/** What the routes for operators answer besides the usual good answer and each problem. */
export const requestFleetResponses = async (scene: Scene): Promise<Response[]> =>
  (await MORE_RESPONSES[scene.operation.id]?.(scene)) ?? []
