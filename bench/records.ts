import { consent } from '../dev/intuit/client.ts'
import type { Item, Table } from './table.ts'

/** Connected through the service itself: sealed, if it seals. */
export const OWN_KEY = 'own-record'
/** The same in plain, for the programs that open nothing; a name of the same length, so that answers are as long. */
export const PLAIN_KEY = 'plain-item'

/** Goes through start, consent and callback, as a person does. */
export const connect = async (serviceUrl: string, companyKey: string): Promise<void> => {
  const started = await fetch(`${serviceUrl}/oauth/start/${companyKey}`, { redirect: 'manual' })
  const back = new URL(await consent(started.headers.get('Location') ?? '', {}))
  const connected = await fetch(`${serviceUrl}${back.pathname}${back.search}`)
  if (connected.status !== 200) throw new Error(`The callback answered ${connected.status}.`)
}

/** A record as someone writes it by hand, with plain tokens: the reference's attributes and no more. */
export const plainRecord = (like: Item, accessToken: string, companyKey: string): Item => {
  const { realm_id, uses_sandbox_credentials, created_at, updated_at, last_refresh_at } = like
  const { access_token_expires_at, refresh_token_expires_at } = like
  const kept = { realm_id, uses_sandbox_credentials, created_at, updated_at, last_refresh_at }
  const item = { ...kept, access_token_expires_at, refresh_token_expires_at }
  return {
    ...Object.fromEntries(Object.entries(item).flatMap(([name, value]) => (value ? [[name, value]] : []))),
    pk: { S: `connection#${companyKey}` },
    company_key: { S: companyKey },
    company_name: { S: companyKey },
    access_token: { S: accessToken },
    refresh_token: { S: 'RT1-'.padEnd(41, 'x') },
  }
}

/** The service's record and its plain like. */
export const makeRecords = async (serviceUrl: string, apiKey: string, table: Table): Promise<Item> => {
  await connect(serviceUrl, OWN_KEY)
  const answer = await fetch(`${serviceUrl}/api/token/${OWN_KEY}`, { headers: { 'X-API-Key': apiKey } })
  const body: unknown = await answer.json()
  const accessToken = typeof body === 'object' && body && 'access_token' in body ? String(body.access_token) : ''
  const plain = plainRecord(await table.item(OWN_KEY), accessToken, PLAIN_KEY)
  await table.put(plain)
  return plain
}
