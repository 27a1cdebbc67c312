import type { ClientCredentials } from '../config/config.ts'

/** Encodes a text as application/x-www-form-urlencoded (RFC 6749 appendix B). */
function encodeForm(text: string) {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

/** The `Authorization` header for client credentials: HTTP Basic, id and secret form-encoded (RFC 6749 section 2.3.1). */
export function createBasicAuthorization({ clientId, clientSecret }: ClientCredentials): string {
  return `Basic ${btoa(`${encodeForm(clientId)}:${encodeForm(clientSecret)}`)}`
}
