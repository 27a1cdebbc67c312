import type { Context } from 'hono'
import ipaddr from 'ipaddr.js'

/** A network in CIDR notation (RFC 4632), or `undefined` for what is no IP address. */
function toNetwork(address: string, prefixLength: { ipv4: number; ipv6: number }): string | undefined {
  if (!ipaddr.isValid(address)) return undefined
  // An IPv4 address in the form of IPv6 (RFC 4291 section 2.5.5.2) counts as IPv4.
  const parsed = ipaddr.process(address)
  const length = prefixLength[parsed.kind()]
  const family = parsed.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6
  return `${family.networkAddressFromCIDR(`${parsed}/${length}`)}/${length}`
}

/** Who a rate limit counts as one: an IPv4 address, or what one subscriber of IPv6 has (RFC 6177). */
export function toSubscriber(address: string): string | undefined {
  return toNetwork(address, { ipv4: 32, ipv6: 64 })
}

/** What the log keeps of an address: enough to see where requests come from, too little to name a person. */
export function toLoggedNetwork(address: string): string | undefined {
  return toNetwork(address, { ipv4: 24, ipv6: 48 })
}

/** The address of the client, as Cloudflare tells. `undefined` without Cloudflare. */
export function clientAddress(c: Context): string | undefined {
  return c.req.header('CF-Connecting-IP')
}

/** Who the client is to a rate limit. `undefined`: it is not counted. */
export function clientSubscriber(c: Context): string | undefined {
  const address = clientAddress(c)
  return address === undefined ? undefined : toSubscriber(address)
}
