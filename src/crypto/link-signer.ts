import type { LinkSigner, StartLink } from '../broker/ports.ts'
import { base64Url, bytesOfBase64Url } from './bytes.ts'
import { hmac, hmacKey } from './hmac.ts'

/** One key of `START_LINK_KEYS`. */
export interface LinkKey {
  kid: string
  /** 32 bytes. */
  bytes: Uint8Array<ArrayBuffer>
}

interface KeyRing {
  first: string | undefined
  byKid: ReadonlyMap<string, CryptoKey>
}

/** What these signatures are for: one of another purpose or version never fits. */
const PURPOSE = 'start-link:v1'

const encoder = new TextEncoder()

/** A JSON array, so that no value can run over into its neighbour. */
function signedText(kid: string, { companyKey, companyName, expiresAt }: StartLink) {
  return JSON.stringify([PURPOSE, kid, companyKey, companyName ?? null, expiresAt])
}

async function keyRing(keys: readonly LinkKey[]): Promise<KeyRing> {
  const imported = await Promise.all(keys.map(async ({ kid, bytes }) => [kid, await hmacKey(bytes)] as const))
  return { first: keys[0]?.kid, byKid: new Map(imported) }
}

/**
 * HMAC-SHA256 (RFC 2104) over company key, company name, expiry and `kid`. The first key signs, all verify, in constant
 * time as WebCrypto does. Keys are imported at their first use and kept.
 */
export function createLinkSigner(keys: () => readonly LinkKey[]): LinkSigner {
  let kept: KeyRing | undefined
  const ring = async () => {
    kept ??= await keyRing(keys())
    return kept
  }

  return {
    isConfigured: () => keys().length > 0,

    async sign(link, named) {
      const { first, byKid } = await ring()
      const kid = named ?? first
      const key = kid === undefined ? undefined : byKid.get(kid)
      if (kid === undefined || !key) return undefined
      return { kid, mac: base64Url(await hmac(key, signedText(kid, link))) }
    },

    async verify(link, { kid, mac }) {
      const key = (await ring()).byKid.get(kid)
      const text = encoder.encode(signedText(kid, link))
      return key !== undefined && crypto.subtle.verify('HMAC', key, bytesOfBase64Url(mac), text)
    },
  }
}
