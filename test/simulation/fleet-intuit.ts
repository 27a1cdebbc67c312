import type { AuthorizationServer, TokenResult } from '../../src/broker/ports/intuit.ts'

const DAY = 86_400
const LIFETIME_SECONDS = 8_726_400
const ROTATES_AFTER = { least: DAY, most: 26 * 3600 }

interface Grant {
  companyKey: string
  token: string
  issuedAt: number
  rotatesAfter: number
  count: number
  revoked: boolean
}

/** A failure of Intuit: `down`, or `lies`, which responds `invalid_grant` to every request. */
export type Outage = 'down' | 'lies' | undefined

interface FleetIntuitOptions {
  /** Seconds since the epoch. */
  now(): number
  random(): number
  outage(): Outage
}

/** Intuit for a fleet. Refresh tokens rotate after 24 to 26 hours, and expire after 101 days without a refresh. */
export const createFleetIntuit = ({ now, random, outage }: FleetIntuitOptions) => {
  const grants = new Map<string, Grant>()
  const figures = { uses: 0, ofRevoked: 0, superseded: 0, expired: 0 }
  const rotatesAfter = () => ROTATES_AFTER.least + random() * (ROTATES_AFTER.most - ROTATES_AFTER.least)

  const fail = (reason: 'unavailable' | 'invalid_grant'): TokenResult => ({
    ...{ ok: false, reason },
    ...{ intuitError: undefined, intuitTid: undefined, retryAfterSeconds: undefined },
  })

  const respond = (grant: Grant | undefined, token: string): TokenResult => {
    figures.uses++
    if (grant?.revoked) figures.ofRevoked++
    const how = outage()
    if (how) return fail(how === 'down' ? 'unavailable' : 'invalid_grant')
    if (grant?.token !== token) figures.superseded++
    if (!grant || grant.revoked || grant.token !== token) return fail('invalid_grant')
    if (now() - grant.issuedAt >= LIFETIME_SECONDS) {
      figures.expired++
      return fail('invalid_grant')
    }
    if (now() - grant.issuedAt >= grant.rotatesAfter) {
      const token = `${grant.companyKey}:${++grant.count}`
      Object.assign(grant, { token, issuedAt: now(), rotatesAfter: rotatesAfter() })
    }
    return {
      ok: true,
      intuitTid: undefined,
      pair: {
        ...{ accessToken: 'access', accessTokenExpiresAt: now() + 3600, refreshToken: grant.token },
        ...{ refreshTokenExpiresAt: grant.issuedAt + LIFETIME_SECONDS, refreshTokenHardExpiresAt: undefined },
      },
    }
  }

  const server: AuthorizationServer = {
    clientDigest: async () => 'client',
    createBinding: () => ({ idTokenNonce: undefined, codeVerifier: undefined }),
    authorizationUrl: async () => '',
    revoke: () => Promise.reject(new Error('not simulated')),
    exchange: () => Promise.reject(new Error('not simulated')),
    refresh: async (_, token) => ({
      answer: respond(grants.get(token.slice(0, token.indexOf(':'))), token),
      late: undefined,
    }),
  }

  return {
    server,
    figures,
    /** Grants a consent. Returns the first refresh token and its expiry. */
    grant: (companyKey: string) => {
      const token = `${companyKey}:0`
      grants.set(companyKey, {
        companyKey,
        token,
        issuedAt: now(),
        rotatesAfter: rotatesAfter(),
        count: 0,
        revoked: false,
      })
      return { token, expiresAt: now() + LIFETIME_SECONDS }
    },
    revoke: (companyKey: string) => {
      const grant = grants.get(companyKey)
      if (grant) grant.revoked = true
    },
  }
}
