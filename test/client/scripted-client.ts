import { BrokerError, quickbooksTokens } from 'quickbooks-token-broker/client'

export const BROKER = 'https://broker.test'
export const API = 'https://quickbooks.test/v3/company/1/companyinfo/1'
export const KEY = 'key-of-the-caller'
/** Seconds since the epoch, as the client's clock says at first. */
export const NOW = 1_800_000_000

/** A request that left the client. */
interface Sent {
  url: string
  init: RequestInit
  headers: Headers
}
export type Reply = (sent: Sent) => Response | Promise<Response>

/** The token of a generation, as the broker answers it. */
export const token = (generation: number, expiresAt = NOW + 3600, etag: string | undefined = `"${generation}"`) => {
  const body = { company_key: 'beach', access_token: `access-${generation}`, access_token_expires_at: expiresAt }
  return Response.json(body, { headers: etag === undefined ? {} : { ETag: etag } })
}

/** A problem as the broker answers it. */
export const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  Response.json(
    { type: 'about:blank', status, code, detail: `What to do about ${code}.`, intuit_tid: '1-abc' },
    { status, headers: { 'X-Request-Id': 'request-1', ...headers, 'Content-Type': 'application/problem+json' } },
  )

const method = ({ init }: Sent) => init.method ?? 'GET'
/** Method and path, or URL where it is not the broker's. */
export const call = (sent: Sent) => `${method(sent)} ${sent.url.replace(`${BROKER}/api`, '')}`
/** The access token that a request carried. */
export const bearer = ({ headers }: Sent) => headers.get('Authorization')

/** A client whose requests are answered by the replies in turn, the last one for ever. */
export const createScriptedClient = (first: Reply, ...more: Reply[]) => {
  const replies = [first, ...more]
  const sent: Sent[] = []
  let now = NOW
  const client = quickbooksTokens({
    baseUrl: BROKER,
    apiKey: KEY,
    now: () => now,
    fetch: async (url, init) => {
      const one = { url, init, headers: new Headers(init.headers) }
      sent.push(one)
      return (replies[sent.length - 1] ?? replies.at(-1) ?? first)(one)
    },
  })
  return { ...client, sent, calls: () => sent.map(call), pass: (seconds: number) => (now += seconds) }
}

/** The `BrokerError` that a promise is rejected with. */
export const failure = async (promise: Promise<unknown>): Promise<BrokerError> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof BrokerError) return error
  throw new Error('No BrokerError was thrown.')
}
