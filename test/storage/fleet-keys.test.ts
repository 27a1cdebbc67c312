import { describe, expect, it } from 'vitest'
import { FLEET_SHARDS, NEVER_EXPIRES, toFleetAttributes, toFleetShard } from '../../src/storage/fleet-keys.ts'

const record = {
  companyKey: 'beach-blend',
  holdsRefreshToken: true,
  refreshTokenExpiresAt: 1_784_000_000,
  refreshTokenHardExpiresAt: 1_941_000_000,
}

describe('fleet attributes', () => {
  it('keep each company key in its shard', () => {
    const shards = Object.fromEntries(
      ['a', 'beach-blend', 'beach-blend-sandbox', 'Z_9'].map((key) => [key, toFleetShard(key)]),
    )
    expect(shards).toEqual({ a: '00', 'beach-blend': '04', 'beach-blend-sandbox': '06', Z_9: '13' })
  })

  it('spread company keys evenly, however alike they are', () => {
    const counts = new Map(FLEET_SHARDS.map((shard) => [shard, 0]))
    for (let index = 0; index < 16_000; index++) {
      const shard = toFleetShard(`customer-${String(index).padStart(5, '0')}`)
      counts.set(shard, (counts.get(shard) ?? Number.NaN) + 1)
    }
    expect(counts.size).toBe(16)
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  })

  it('sort by the earlier of the two expiry times', () => {
    expect(toFleetAttributes(record).dies_at).toBe(1_784_000_000)
    expect(toFleetAttributes({ ...record, refreshTokenHardExpiresAt: 1_783_999_999 }).dies_at).toBe(1_783_999_999)
    expect(toFleetAttributes({ ...record, refreshTokenHardExpiresAt: undefined }).dies_at).toBe(1_784_000_000)
    expect(toFleetAttributes({ ...record, refreshTokenExpiresAt: undefined }).dies_at).toBe(1_941_000_000)
  })

  it('sort a refresh token with an unknown expiry first, and a record without one last', () => {
    const unknown = { ...record, refreshTokenExpiresAt: undefined, refreshTokenHardExpiresAt: undefined }
    expect(toFleetAttributes(unknown).dies_at).toBe(0)
    expect(toFleetAttributes({ ...record, holdsRefreshToken: false }).dies_at).toBe(NEVER_EXPIRES)
  })
})
