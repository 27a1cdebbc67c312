import type { EpochSeconds, StoredToken } from '../connection.ts'

/** The attributes of a record that hold a token. */
export type TokenName = 'access_token' | 'refresh_token'

/** Closes and opens tokens at rest. What it closed for one record and attribute it opens for that one alone. */
export interface Vault {
  encrypt(companyKey: string, name: TokenName, token: string): Promise<StoredToken>
  /** Throws `sealed_token_unreadable`. */
  decrypt(companyKey: string, name: TokenName, stored: StoredToken): Promise<string>
  /** SHA-256, hexadecimal. */
  digest(token: string): Promise<string>
}

/** What the signature of a link to start is bound to. */
export interface StartLink {
  companyKey: string
  companyName: string | undefined
  expiresAt: EpochSeconds
}

export interface LinkSignature {
  /** The key that signed. */
  kid: string
  /** HMAC-SHA256, base64url. */
  mac: string
}

/** What is kept of a link whose signature was verified: enough to sign it again, and nothing that lets anybody in. */
export interface VerifiedLink {
  expiresAt: EpochSeconds
  kid: string
}

/** The signed part of a start link. */
export interface SignedLink {
  expiresAt: EpochSeconds
  signature: LinkSignature
}

/** Signs links to start, and knows its own ones again. Throws `configuration_error`. */
export interface LinkSigner {
  /** Whether there is a key. */
  isConfigured(): boolean
  /** By the first key, or by the one that is named. `undefined`: there is no such key. */
  sign(link: StartLink, kid?: string): Promise<LinkSignature | undefined>
  verify(link: StartLink, signature: LinkSignature): Promise<boolean>
}
