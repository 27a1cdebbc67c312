import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { IdTokenFlaw } from './knobs.ts'

const ALGORITHM = 'RS256'
const KEY_ID = 'stand-in'
const LIFETIME_SECONDS = 3600

/** The claims of an ID token. */
export interface IdTokenRequest {
  clientId: string
  realmId: string
  nonce: string | undefined
  /** Epoch seconds. */
  now: number
}

/** The claims that a flaw changes. */
const createFlawedClaims = (flaw: IdTokenFlaw, now: number): Record<string, unknown> => {
  switch (flaw) {
    case 'wrong_issuer':
      return { iss: 'https://issuer.example' }
    case 'wrong_audience':
      return { aud: ['another-app'] }
    case 'expired':
      return { iat: now - 2 * LIFETIME_SECONDS, exp: now - LIFETIME_SECONDS }
    case 'wrong_nonce':
      return { nonce: 'the-nonce-of-another-consent' }
    case 'foreign_realm':
      return { realmid: '9999999999999999999' }
    case 'no_realm':
      return { realmid: undefined }
    default:
      return {}
  }
}

/** Creates a signer of ID tokens (OpenID Connect Core 1.0, section 2). Each process has its own key. */
export const createIdTokenIssuer = async (issuer: () => string) => {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM)
  return {
    issuer,

    /** The JSON Web Key Set with the public key (RFC 7517). */
    jwks: async () => ({ keys: [{ ...(await exportJWK(publicKey)), kid: KEY_ID, alg: ALGORITHM, use: 'sig' }] }),

    issue: async (
      { clientId, realmId, nonce, now }: IdTokenRequest,
      flaw: IdTokenFlaw,
    ): Promise<string | undefined> => {
      if (flaw === 'missing') return undefined
      if (flaw === 'malformed') return 'no-id-token'
      const claims = {
        iss: issuer(),
        aud: [clientId],
        sub: `person-of-${realmId}`,
        iat: now,
        exp: now + LIFETIME_SECONDS,
        auth_time: now,
        realmid: realmId,
        nonce,
        ...createFlawedClaims(flaw, now),
      }
      return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, kid: KEY_ID }).sign(privateKey)
    },
  }
}

export type IdTokenIssuer = Awaited<ReturnType<typeof createIdTokenIssuer>>
