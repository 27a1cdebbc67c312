/** As the URL parser leaves loopback hosts; `127.1` is `127.0.0.1` by then. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/**
 * The address, if what is sent there stays private on its way. Throws `TypeError` otherwise.
 * @param {string | URL} address
 * @param {string} secret What would be sent, in words.
 */
export const privateUrl = (address, secret) => {
  const url = new URL(address)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))) return url
  throw new TypeError(`${secret} is sent to https and loopback addresses only, not to ${url.protocol}//${url.host}.`)
}

/**
 * Whether a header can hold it: an access token and a client secret are made of these (RFC 6749 appendix A). A runtime
 * that refused it would show it in its error.
 * @param {unknown} text
 * @returns {text is string}
 */
export const fitsHeader = (text) => typeof text === 'string' && /^[\x20-\x7e]+$/.test(text)
