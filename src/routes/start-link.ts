import type { Context } from 'hono'
import type { IssuedLink, LinkSignature } from '../broker/consent/start-links.ts'
import { queryValues } from '../http/request.ts'

export const EXPIRES_AT = /^\d{1,11}$/
export const KID = /^[\w.-]{1,64}$/
/** 32 bytes, base64url. */
export const MAC = /^[\w-]{43}$/

/**
 * `/oauth/start/{company_key}` at our own origin, with `company_name` and the signature in `exp` (epoch seconds), `kid`
 * and `sig`.
 */
export function startLinkUrl(origin: string, { companyKey, companyName, signed }: IssuedLink): string {
  const url = new URL(`/oauth/start/${companyKey}`, origin)
  if (companyName !== undefined) url.searchParams.set('company_name', companyName)
  if (signed) {
    url.searchParams.set('exp', String(signed.expiresAt))
    url.searchParams.set('kid', signed.signature.kid)
    url.searchParams.set('sig', signed.signature.mac)
  }
  return url.href
}

/** The signature in the query of a start link. Checks only its format. */
export function readSignature(c: Context): LinkSignature {
  const all = [queryValues(c, 'exp'), queryValues(c, 'kid'), queryValues(c, 'sig')]
  if (all.every(({ length }) => length === 0)) return undefined
  const [exp = '', kid = '', mac = ''] = all.map(([first]) => first)
  const isWhole = all.every(({ length }) => length === 1) && EXPIRES_AT.test(exp) && KID.test(kid) && MAC.test(mac)
  return isWhole ? { expiresAt: Number(exp), signature: { kid, mac } } : 'malformed'
}
