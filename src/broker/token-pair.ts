import { Problem } from '../problem.ts'
import type { Connection, StoredToken, StoredTokenPair, TokenPair, UsableToken, WithAccessToken } from './connection.ts'
import type { TokenName, Vault } from './ports/crypto.ts'
import type { IssuedTokens } from './ports/intuit.ts'

/** Encrypts a token pair for the record of `companyKey`. */
export async function encryptTokenPair(vault: Vault, companyKey: string, pair: TokenPair): Promise<StoredTokenPair> {
  const [accessToken, refreshToken, refreshTokenHash] = await Promise.all([
    vault.encrypt(companyKey, 'access_token', pair.accessToken),
    vault.encrypt(companyKey, 'refresh_token', pair.refreshToken),
    vault.digest(pair.refreshToken),
  ])
  return { ...pair, accessToken, refreshToken, refreshTokenHash }
}

/** The token pair after a refresh. If Intuit issued no refresh token, the used one and its expiry stay. */
export function refreshedPair(issued: IssuedTokens, used: string, before: Connection): TokenPair {
  const { refreshToken, refreshTokenExpiresAt } = issued
  if (refreshToken !== undefined) return { ...issued, refreshToken }
  return {
    ...issued,
    refreshToken: used,
    refreshTokenExpiresAt: before.refreshTokenExpiresAt ?? refreshTokenExpiresAt,
  }
}

/** A token is visible ASCII (RFC 6749 appendices A.12 and A.17). */
const TOKEN = /^[\x21-\x7E]+$/

/**
 * Decrypts a stored token and removes white space around it, which a token pasted by hand may have. Throws
 * `sealed_token_unreadable`, also for a text that cannot be a token: it is neither sent to Intuit nor returned.
 */
export async function decryptToken(
  vault: Vault,
  companyKey: string,
  name: TokenName,
  stored: StoredToken,
): Promise<string> {
  const token = (await vault.decrypt(companyKey, name, stored.trim())).trim()
  if (TOKEN.test(token)) return token
  throw new Problem(
    'sealed_token_unreadable',
    `The stored ${name} has characters that no token has. Nothing was changed. The operator has to correct it, or to connect the company again.`,
  )
}

/** Decrypts the access token of a record. Throws `sealed_token_unreadable`. */
export async function usableToken(vault: Vault, connection: WithAccessToken): Promise<UsableToken> {
  return {
    accessToken: await decryptToken(vault, connection.companyKey, 'access_token', connection.accessToken),
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
