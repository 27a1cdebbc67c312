import { base64url } from 'jose'
import type { LinkSigner, StartLink } from '../broker/ports/crypto.ts'
import { hmac, importHmacKey } from './digest.ts'
import { createKeyRing, type SymmetricKey } from './key-ring.ts'

/** Part of the signed text, so that a signature for another purpose or version does not verify. */
const PURPOSE = 'start-link:v1'

const encoder = new TextEncoder()

/** JSON marks where each value ends, so that two different links never have the same text. */
function toSignedText(kid: string, { companyKey, companyName, expiresAt }: StartLink) {
  return JSON.stringify([PURPOSE, kid, companyKey, companyName ?? null, expiresAt])
}

/** Signs start links with HMAC-SHA256 (RFC 2104). WebCrypto verifies in constant time. */
export function createLinkSigner(keys: () => readonly SymmetricKey[]): LinkSigner {
  const keyRing = createKeyRing(keys, importHmacKey)

  return {
    isConfigured: () => keys().length > 0,

    async sign(link, requestedKid) {
      const { first, byKid } = await keyRing()
      const kid = requestedKid ?? first?.kid
      const key = kid === undefined ? undefined : byKid.get(kid)
      if (kid === undefined || !key) return undefined
      return { kid, mac: base64url.encode(await hmac(key, toSignedText(kid, link))) }
    },

    async verify(link, { kid, mac }) {
      const key = (await keyRing()).byKid.get(kid)
      if (!key) return false
      const signature = new Uint8Array(base64url.decode(mac))
      // The last character of 32 bytes in base64url has two unused bits. One signature has one spelling.
      if (base64url.encode(signature) !== mac) return false
      return crypto.subtle.verify('HMAC', key, signature, encoder.encode(toSignedText(kid, link)))
    },
  }
}
