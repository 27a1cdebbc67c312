import { BrokerError, quickbooksTokens } from 'quickbooks-token-broker/client'

export const BROKER = 'https://broker.test'
export const API = 'https://quickbooks.test/v3/company/1/companyinfo/1'
export const KEY = 'key-of-the-caller'
/** The initial time of the client's clock, in epoch seconds. */
export const NOW = 1_800_000_000

/** A request that the client sent. */
interface Sent {
  url: string
  init: RequestInit
  headers: Headers
}
export type Reply = (sent: Sent) => Response | Promise<Response>

/** The broker's response with the token of a generation. */
export const token = (generation: number, expiresAt = NOW + 3600, etag: string | undefined = `"${generation}"`) => {
  const body = { company_key: 'beach', access_token: `access-${generation}`, access_token_expires_at: expiresAt }
  return Response.json(body, { headers: etag === undefined ? {} : { ETag: etag } })
}

/** The broker's response with a problem. */
export const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  Response.json(
    { type: 'about:blank', status, code, detail: `What to do about ${code}.`, intuit_tid: '1-abc' },
    { status, headers: { 'X-Request-Id': 'request-1', ...headers, 'Content-Type': 'application/problem+json' } },
  )

const method = ({ init }: Sent) => init.method ?? 'GET'
/** Method and path, or the URL if it is not the broker's. */
export const call = (sent: Sent) => `${method(sent)} ${sent.url.replace(`${BROKER}/api`, '')}`
/** The access token of a request. */
export const bearer = ({ headers }: Sent) => headers.get('Authorization')

/** Creates a client whose requests get the replies in order. The last reply repeats. */
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

/** Returns the `BrokerError` of a rejected promise. */
export const failure = async (promise: Promise<unknown>): Promise<BrokerError> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof BrokerError) return error
  throw new Error('No BrokerError was thrown.')
}
