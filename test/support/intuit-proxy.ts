import * as v from 'valibot'
import { type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts'
import { sha256 } from './fixtures.ts'

/** One token request; tokens by their SHA-256. */
export interface SeenGrant {
  presented: string
  /** What Intuit's answer held; `undefined` while there is none. */
  issued: { refreshTokenHash: string; accessTokenHash: string } | undefined
}

const ISSUED = v.object({ refresh_token: v.string(), access_token: v.string() })

const issuedBy = (text: string) => {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), ISSUED), text)
  if (!parsed.success) return undefined
  const { refresh_token, access_token } = parsed.output
  return { refreshTokenHash: sha256(refresh_token), accessTokenHash: sha256(access_token) }
}

/** A token endpoint before the stand-in's. Its operations are the grant types of RFC 6749. */
export const startIntuitProxy = (intuitUrl: string): Promise<FaultyProxy<SeenGrant>> =>
  startFaultyProxy<SeenGrant>(intuitUrl, {
    read: (_, text) => {
      const form = new URLSearchParams(text)
      const presented = sha256(form.get('refresh_token') ?? form.get('code') ?? '')
      return { operation: form.get('grant_type') ?? '', body: { presented, issued: undefined } }
    },
    note: (body, _, text) => {
      body.issued = issuedBy(text)
    },
    contentType: 'text/html',
  })
