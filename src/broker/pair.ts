import type { Connection, StoredPair, TokenPair, UsableToken, WithAccessToken } from './connection.ts'
import type { IssuedTokens, Vault } from './ports.ts'

/** A pair that Intuit gave, closed for the record of `companyKey`. */
export async function sealedPair(vault: Vault, companyKey: string, pair: TokenPair): Promise<StoredPair> {
  const [accessToken, refreshToken, refreshTokenHash] = await Promise.all([
    vault.seal(companyKey, 'access_token', pair.accessToken),
    vault.seal(companyKey, 'refresh_token', pair.refreshToken),
    vault.digest(pair.refreshToken),
  ])
  return { ...pair, accessToken, refreshToken, refreshTokenHash }
}

/** What Intuit issued for the refresh token `used` of the record `before`. The old refresh token, and its end, stay where no other came. */
export function refreshedPair(issued: IssuedTokens, used: string, before: Connection): TokenPair {
  const { refreshToken, refreshTokenExpiresAt } = issued
  if (refreshToken !== undefined) return { ...issued, refreshToken }
  return {
    ...issued,
    refreshToken: used,
    refreshTokenExpiresAt: before.refreshTokenExpiresAt ?? refreshTokenExpiresAt,
  }
}

/** The access token of a record, opened. Throws `sealed_token_unreadable`. */
export async function usableToken(vault: Vault, connection: WithAccessToken): Promise<UsableToken> {
  return {
    accessToken: await vault.open(connection.companyKey, 'access_token', connection.accessToken),
    connection: {
      companyKey: connection.companyKey,
      companyName: connection.companyName,
      environment: connection.environment,
      realmId: connection.realmId,
      accessTokenExpiresAt: connection.accessTokenExpiresAt,
      refreshTokenExpiresAt: connection.refreshTokenExpiresAt,
      updatedAt: connection.updatedAt,
      lastRefreshAt: connection.lastRefreshAt,
      generation: connection.generation,
    },
  }
}
