import type { Context } from 'hono'
import ipaddr from 'ipaddr.js'

/** A network in CIDR notation (RFC 4632), or `undefined` for a text that is no IP address. */
function toNetwork(address: string, prefixLength: { ipv4: number; ipv6: number }): string | undefined {
  if (!ipaddr.isValid(address)) return undefined
  // An IPv4 address in the form of IPv6 (RFC 4291 section 2.5.5.2) counts as IPv4.
  const parsed = ipaddr.process(address)
  const length = prefixLength[parsed.kind()]
  const family = parsed.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6
  return `${family.networkAddressFromCIDR(`${parsed}/${length}`)}/${length}`
}

/** The network that a rate limit counts as one client: an IPv4 address, or the /64 of an IPv6 subscriber (RFC 6177). */
export function toSubscriber(address: string): string | undefined {
  return toNetwork(address, { ipv4: 32, ipv6: 64 })
}

/** The network of an address for the log. It shows where requests come from, and does not identify a person. */
export function toLoggedNetwork(address: string): string | undefined {
  return toNetwork(address, { ipv4: 24, ipv6: 48 })
}

/** The client's address from Cloudflare. `undefined` without Cloudflare. */
export function clientAddress(c: Context): string | undefined {
  return c.req.header('CF-Connecting-IP')
}

/** The client as a rate limit counts it. `undefined`: it is not counted. */
export function clientSubscriber(c: Context): string | undefined {
  const address = clientAddress(c)
  return address === undefined ? undefined : toSubscriber(address)
}
