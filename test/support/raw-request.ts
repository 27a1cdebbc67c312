import { type IncomingHttpHeaders, request } from 'node:http'

/** A response as it came: redirects are not followed. */
export interface RawResponse {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** Sends a request that `fetch` would change or refuse: a path that is not normalized, a `Host` or a `Sec-Fetch-*` header. */
export const rawRequest = (
  url: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<RawResponse> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const outgoing = request({ hostname, port, method, path, headers }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
