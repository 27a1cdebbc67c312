/** A secret key from the configuration. */
export interface SymmetricKey {
  kid: string
  /** 32 bytes. */
  bytes: Uint8Array<ArrayBuffer>
}

/** The imported keys. */
export interface KeyRing {
  /** The key for new values. `undefined`: no key is configured. */
  first: { kid: string; key: CryptoKey } | undefined
  byKid: ReadonlyMap<string, CryptoKey>
}

type ImportKey = (bytes: Uint8Array<ArrayBuffer>) => Promise<CryptoKey>

/**
 * Imports keys at their first use and caches them. The first key encrypts or signs. All keys decrypt or verify. Throws
 * `configuration_error` if `keys` does.
 */
export function createKeyRing(keys: () => readonly SymmetricKey[], importKey: ImportKey): () => Promise<KeyRing> {
  let keyRing: KeyRing | undefined
  return async () => {
    if (keyRing) return keyRing
    const imported = await Promise.all(keys().map(async ({ kid, bytes }) => ({ kid, key: await importKey(bytes) })))
    keyRing = { first: imported[0], byKid: new Map(imported.map(({ kid, key }) => [kid, key])) }
    return keyRing
  }
}
