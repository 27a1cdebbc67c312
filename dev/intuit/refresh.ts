import { isDead, issueTokens, rotateRefreshToken } from './grants.ts'
import type { IntuitApp, IssuedTokens, Issuer } from './issuer.ts'
import type { Grant } from './state.ts'

const isSuperseded = (grant: Grant, token: string) => grant.superseded.some(({ value }) => value === token)

/** Whether a token is the current one, or a superseded one within its grace period. */
const isAccepted = ({ now, knobs }: Issuer, grant: Grant, token: string) => {
  if (grant.refreshToken === token) return true
  const superseded = grant.superseded.find(({ value }) => value === token)
  return superseded !== undefined && now() < superseded.at + knobs().supersededLivesSeconds
}

/** Uses a refresh token. `undefined` is `invalid_grant`; reuse or a concurrent refresh may also end the grant. */
export const refreshTokens = (issuer: Issuer, app: IntuitApp, token: string): IssuedTokens | undefined => {
  const { state, now, knobs, inFlight } = issuer
  const grant = state.grants.find((one) => one.refreshToken === token || isSuperseded(one, token))
  if (grant?.clientId !== app.clientId) return undefined
  const { concurrentRefresh, reuseKills, rotateAfterSeconds, refreshKillsAccessToken } = knobs()
  if (inFlight.has(grant.id) && concurrentRefresh === 'kill') grant.alive = false
  if (inFlight.has(grant.id) && concurrentRefresh !== 'allow') return undefined
  if (!isAccepted(issuer, grant, token)) {
    if (reuseKills) grant.alive = false
    return undefined
  }
  if (isDead(issuer, grant)) return undefined
  const isRotated = grant.refreshToken === token && now() - grant.refreshTokenBornAt >= rotateAfterSeconds
  if (isRotated) rotateRefreshToken(issuer, grant)
  if (refreshKillsAccessToken) grant.accessTokens = []
  return issueTokens(issuer, grant, isRotated)
}
