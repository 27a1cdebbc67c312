import { base64url, decodeJwt } from 'jose'
import * as v from 'valibot'
import type { IdTokenFault, IdTokenResult } from '../broker/ports/intuit.ts'

/** A realm id is 1 to 19 digits without a leading zero. Intuit names the claim in two spellings. */
const REALM = v.pipe(v.string(), v.regex(/^[1-9]\d{0,18}$/))

/** Claims of an ID token (OpenID Connect Core 1.0, section 2) with Intuit's own. */
const CLAIMS = v.object({
  iss: v.string(),
  aud: v.union([v.string(), v.array(v.string())]),
  azp: v.optional(v.string()),
  exp: v.number(),
  sub: v.pipe(v.string(), v.nonEmpty(), v.maxLength(255)),
  nonce: v.optional(v.string()),
  realmid: v.optional(REALM),
  realmId: v.optional(REALM),
})
type Claims = v.InferOutput<typeof CLAIMS>

/** What an ID token must say. */
export interface ExpectedIdToken {
  /** `iss`. */
  issuer: string
  /** The client id of the app that redeemed the code: `aud`, and `azp` where there is one. */
  clientId: string
  /** The nonce of the authorization request. `undefined`: the request sent none. */
  nonce: string | undefined
  /** Epoch seconds. */
  now: number
}

/**
 * A realm id as a JSON number. A quote inside of a JSON text has a backslash before it, so this matches members alone.
 */
const NUMBER_REALM = /"(realmid|realmId)"\s*:\s*(\d+)(?=\s*[,}])/g

/**
 * The claims, with a realm id that came as a JSON number in its own digits: realm ids have up to 19, and a `number`
 * keeps 15 of them exactly. Throws for what is no JWT.
 */
function decodeClaims(idToken: string): unknown {
  decodeJwt(idToken)
  const payload = new TextDecoder().decode(base64url.decode(idToken.split('.')[1] ?? ''))
  return JSON.parse(payload.replaceAll(NUMBER_REALM, '"$1":"$2"'))
}

function parseClaims(idToken: string): { claims: Claims } | { fault: IdTokenFault } {
  try {
    const parsed = v.safeParse(CLAIMS, decodeClaims(idToken))
    if (parsed.success) return { claims: parsed.output }
    const isRealm = parsed.issues.every(({ path }) => /^realm[iI]d$/.test(String(path?.[0]?.key)))
    return { fault: isRealm ? 'realmid' : 'format' }
  } catch {
    return { fault: 'format' }
  }
}

function findFault(claims: Claims, { issuer, clientId, nonce, now }: ExpectedIdToken): IdTokenFault | undefined {
  if (claims.iss !== issuer) return 'iss'
  if (![claims.aud].flat().includes(clientId) || (claims.azp ?? clientId) !== clientId) return 'aud'
  if (claims.exp <= now) return 'exp'
  if (nonce !== undefined && claims.nonce !== nonce) return 'nonce'
  if (claims.realmid !== undefined && claims.realmId !== undefined && claims.realmid !== claims.realmId)
    return 'realmid'
  return undefined
}

/**
 * Reads an ID token that came in the response of the token endpoint. Its signature is not checked: TLS and the client's
 * own authentication prove the issuer on that way (OpenID Connect Core 1.0, section 3.1.3.7, point 6). Never throws.
 */
export function parseIdToken(idToken: string, expected: ExpectedIdToken): IdTokenResult {
  const parsed = parseClaims(idToken)
  if ('fault' in parsed) return { ok: false, fault: parsed.fault }
  const { claims } = parsed
  const fault = findFault(claims, expected)
  if (fault) return { ok: false, fault }
  return { ok: true, realmId: claims.realmid ?? claims.realmId, subject: claims.sub }
}
