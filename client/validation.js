/** Loopback hosts as the URL parser writes them: it turns `127.1` into `127.0.0.1`. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/**
 * Parses an address that a secret is sent to. Throws `TypeError` unless it is https, or http on loopback.
 * @param {string | URL} address
 * @param {string} secret What is sent there, for the error message.
 */
export const parsePrivateUrl = (address, secret) => {
  const url = new URL(address)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))) return url
  throw new TypeError(`${secret} is sent to https and loopback addresses only, not to ${url.protocol}//${url.host}.`)
}

/**
 * Whether a header can carry the value: visible ASCII, as RFC 6749 appendix A defines access tokens and client secrets.
 * A runtime that rejects a header value may show it in its error.
 * @param {unknown} text
 * @returns {text is string}
 */
export const isHeaderValue = (text) => typeof text === 'string' && /^[\x20-\x7e]+$/.test(text)
