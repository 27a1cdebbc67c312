import type { IntuitApp, IssuedTokens, Issuer } from './issuer.ts'
import type { Grant } from './state.ts'

const createRefreshToken = ({ createToken, knobs }: Issuer) => createToken('RT1-39-H3-', knobs().refreshTokenLength)

/** Creates the grant of a consent, with its first refresh token. */
export const createGrant = (issuer: Issuer, { clientId }: IntuitApp, realmId: string): Grant => {
  const { state, now, knobs, createToken } = issuer
  if (knobs().consentKillsFormer) {
    for (const former of state.grants) {
      if (former.clientId === clientId && former.realmId === realmId) former.alive = false
    }
  }
  const grant: Grant = {
    id: createToken('grant-', 20),
    clientId,
    realmId,
    alive: true,
    refreshToken: createRefreshToken(issuer),
    refreshTokenBornAt: now(),
    hardExpiresAt: now() + knobs().hardLivesSeconds,
    superseded: [],
    accessTokens: [],
  }
  state.grants.push(grant)
  return grant
}

/** Replaces the refresh token of a grant. */
export const rotateRefreshToken = (issuer: Issuer, grant: Grant): void => {
  grant.superseded.push({ value: grant.refreshToken, at: issuer.now() })
  grant.refreshToken = createRefreshToken(issuer)
  grant.refreshTokenBornAt = issuer.now()
}

/** Issues a new access token beside the current refresh token. */
export const issueTokens = ({ now, knobs, createToken }: Issuer, grant: Grant, rotated: boolean): IssuedTokens => {
  const { accessTokenLivesSeconds, accessTokenLength, refreshTokenLivesSeconds } = knobs()
  const accessToken = createToken('eyJhbGciOiJkaXIi', accessTokenLength)
  grant.accessTokens = grant.accessTokens.filter((access) => access.expiresAt > now())
  grant.accessTokens.push({ value: accessToken, expiresAt: now() + accessTokenLivesSeconds })
  return {
    grantId: grant.id,
    realmId: grant.realmId,
    rotated,
    accessToken,
    accessSeconds: accessTokenLivesSeconds,
    refreshToken: grant.refreshToken,
    refreshSeconds: grant.refreshTokenBornAt + refreshTokenLivesSeconds - now(),
    hardSeconds: grant.hardExpiresAt - now(),
  }
}

/** Whether a grant was ended, or its refresh token has expired. */
export const isDead = ({ now, knobs }: Issuer, grant: Grant): boolean =>
  !grant.alive || now() >= grant.refreshTokenBornAt + knobs().refreshTokenLivesSeconds || now() >= grant.hardExpiresAt

/** All grants, with `alive` as of now. */
export const listGrants = (issuer: Issuer): Grant[] =>
  issuer.state.grants.map((grant) => ({ ...grant, alive: !isDead(issuer, grant) }))

/** Finds the company that a valid access token gives access to. */
export const findRealmId = ({ state, now }: Issuer, accessToken: string): string | undefined =>
  state.grants.find((grant) => grant.accessTokens.some((one) => one.value === accessToken && one.expiresAt > now()))
    ?.realmId

/** Ends the grant of an access token or refresh token. Returns `false` if the app has no such grant. */
export const revokeToken = ({ state }: Issuer, { clientId }: IntuitApp, token: string): boolean => {
  const holdsToken = ({ refreshToken, accessTokens }: Grant) =>
    refreshToken === token || accessTokens.some(({ value }) => value === token)
  const grant = state.grants.find(holdsToken)
  if (!grant?.alive || grant.clientId !== clientId) return false
  grant.alive = false
  grant.accessTokens = []
  return true
}

/** Ends every grant of a company, as a disconnect inside QuickBooks does: the tokens stop working without notice. */
export const killGrants = ({ state }: Issuer, realmId: string): void => {
  for (const grant of state.grants) {
    if (grant.realmId === realmId) Object.assign(grant, { alive: false, accessTokens: [] })
  }
}
