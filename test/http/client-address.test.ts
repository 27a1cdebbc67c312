import { describe, expect, it } from 'vitest'
import { toLoggedNetwork, toSubscriber } from '../../src/http/client-address.ts'

describe('an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1/32'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8::1', '2001:db8::/64'],
    ['::1', '::/64'],
    ['2001::a:b:c:d:e:f', '2001:0:a:b::/64'],
    ['::ffff:192.0.2.1', '192.0.2.1/32'],
    ['::ffff:c000:201', '192.0.2.1/32'],
  ])('%s is counted as %s', (address, subscriber) => {
    expect(toSubscriber(address)).toBe(subscriber)
  })

  it.each([
    ['192.0.2.77', '192.0.2.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
  ])('%s is logged as %s', (address, network) => {
    expect(toLoggedNetwork(address)).toBe(network)
  })

  it.each(['', ' ', 'unknown', '192.0.2.1, 192.0.2.2', '192.0.2.1\nx', 'fe80::1%eth0/64', '999.1.1.1', '<script>'])(
    '%j is none',
    (text) => {
      expect([toSubscriber(text), toLoggedNetwork(text)]).toEqual([undefined, undefined])
    },
  )
})
