import * as v from 'valibot'
import { type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts'
import { sha256 } from './fixtures.ts'

/** One token request. Tokens are shown as their SHA-256. */
export interface SeenGrant {
  /** Of the refresh token or the code. */
  usedTokenHash: string
  /** The tokens in Intuit's response. `undefined` before the response. */
  issued: { refreshTokenHash: string; accessTokenHash: string } | undefined
}

const ISSUED = v.object({ refresh_token: v.string(), access_token: v.string() })

const parseIssued = (text: string) => {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), ISSUED), text)
  if (!parsed.success) return undefined
  const { refresh_token, access_token } = parsed.output
  return { refreshTokenHash: sha256(refresh_token), accessTokenHash: sha256(access_token) }
}

/** Starts a faulty proxy in front of the stand-in's token endpoint. Operations are the grant types of RFC 6749. */
export const startIntuitProxy = (intuitUrl: string): Promise<FaultyProxy<SeenGrant>> =>
  startFaultyProxy<SeenGrant>(intuitUrl, {
    read: (_, text) => {
      const form = new URLSearchParams(text)
      const usedTokenHash = sha256(form.get('refresh_token') ?? form.get('code') ?? '')
      return { operation: form.get('grant_type') ?? '', body: { usedTokenHash, issued: undefined } }
    },
    complete: (body, _, text) => {
      body.issued = parseIssued(text)
    },
    contentType: 'text/html',
  })
