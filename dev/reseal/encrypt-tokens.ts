import type { TokenName, Vault } from '../../src/broker/ports/crypto.ts'
import { decryptToken } from '../../src/broker/token-pair.ts'
import type { SymmetricKey } from '../../src/crypto/key-ring.ts'
import { createTokenVault, findEncryptionKeyId } from '../../src/crypto/token-vault.ts'
import { Problem } from '../../src/problem.ts'
import { readText } from '../../src/storage/attribute-values.ts'
import { type Item, TOKEN_ATTRIBUTES, type TokenAttribute } from './condition.ts'

/** The names under which a token can be encrypted. A token to revoke keeps the name of its former attribute. */
const NAMES: Record<TokenAttribute, readonly TokenName[]> = {
  access_token: ['access_token'],
  refresh_token: ['refresh_token'],
  revocation_token: ['refresh_token', 'access_token'],
}

/** Decrypts under the first name that fits. Throws `sealed_token_unreadable` if none does. */
const decryptWithAnyName = async (vault: Vault, companyKey: string, attribute: TokenAttribute, stored: string) => {
  let failure: unknown
  for (const name of NAMES[attribute]) {
    try {
      return { name, token: await decryptToken(vault, companyKey, name, stored) }
    } catch (error) {
      failure ??= error
    }
  }
  throw failure
}

/**
 * Creates a function that encrypts the tokens of a record with the first key. It returns the attributes to write: tokens
 * that are plain or encrypted with another key, and the hash of a refresh token that has none.
 */
export const createTokenEncryption = (
  keys: readonly SymmetricKey[],
  onUnreadable: (companyKey: string, attribute: TokenAttribute, reason: string) => void,
) => {
  const [firstKey] = keys
  const vault = createTokenVault(
    () => keys,
    () => undefined,
  )

  const encryptAttribute = async (item: Item, companyKey: string, attribute: TokenAttribute, stored: string) => {
    const { name, token } = await decryptWithAnyName(vault, companyKey, attribute, stored)
    if (findEncryptionKeyId(stored.trim()) === firstKey?.kid) return {}
    const values: Item = { [attribute]: { S: await vault.encrypt(companyKey, name, token) } }
    const lacksHash = attribute === 'refresh_token' && readText(item, 'refresh_token_hash') === undefined
    return lacksHash ? { ...values, refresh_token_hash: { S: await vault.digest(token) } } : values
  }

  return async (item: Item, companyKey: string) => {
    const values: Item = {}
    let isUnreadable = false
    for (const attribute of TOKEN_ATTRIBUTES) {
      const stored = readText(item, attribute)
      if (stored === undefined) continue
      try {
        Object.assign(values, await encryptAttribute(item, companyKey, attribute, stored))
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        onUnreadable(companyKey, attribute, error.message)
        isUnreadable = true
      }
    }
    return { values, isUnreadable }
  }
}
