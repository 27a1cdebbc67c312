import type { EpochSeconds, StoredToken } from '../connection.ts'

/** The attributes of a record that contain a token. */
export type TokenName = 'access_token' | 'refresh_token'

/**
 * Encrypts and decrypts stored tokens. A value decrypts only for the record and attribute that it was encrypted for.
 */
export interface Vault {
  encrypt(companyKey: string, name: TokenName, token: string): Promise<StoredToken>
  /** Throws `sealed_token_unreadable`. */
  decrypt(companyKey: string, name: TokenName, stored: StoredToken): Promise<string>
  /** SHA-256, hexadecimal. */
  digest(token: string): Promise<string>
}

/** What the signature of a start link covers. */
export interface StartLink {
  companyKey: string
  companyName: string | undefined
  expiresAt: EpochSeconds
}

export interface LinkSignature {
  /** The id of the key. */
  kid: string
  /** HMAC-SHA256, base64url. */
  mac: string
}

/** What is stored of a verified link: enough to sign it again, but no signature. */
export interface VerifiedLink {
  expiresAt: EpochSeconds
  kid: string
}

/** The signed part of a start link. */
export interface SignedLink {
  expiresAt: EpochSeconds
  signature: LinkSignature
}

/** Signs and verifies start links. Throws `configuration_error`. */
export interface LinkSigner {
  /** Whether a key is configured. */
  isConfigured(): boolean
  /** Signs with the first key, or with the key `kid`. `undefined`: there is no such key. */
  sign(link: StartLink, kid?: string): Promise<LinkSignature | undefined>
  verify(link: StartLink, signature: LinkSignature): Promise<boolean>
}
