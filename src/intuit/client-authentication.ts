import type { ClientCredentials } from '../config/config.ts'

/** application/x-www-form-urlencoded (RFC 6749 appendix B): a space is a plus, and what URLs leave alone is escaped, too. */
function formEncoded(text: string) {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

/** HTTP Basic with the app's pair, id and secret each form-encoded (RFC 6749 section 2.3.1). */
export function basicAuthorization({ clientId, clientSecret }: ClientCredentials): string {
  return `Basic ${btoa(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`)}`
}
