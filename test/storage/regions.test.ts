import { describe, expect, it } from 'vitest'
import { PLACES } from '../../bench/geography/delays.ts'
import { createRegionRanking } from '../../src/storage/regions.ts'

const findNearest = (regions: readonly string[], continent: string, longitude?: number) => {
  const rank = createRegionRanking({ continent, longitude })
  return [...regions].sort((one, other) => rank(one) - rank(other))[0]
}

describe('the nearest region', () => {
  const REGIONS = [
    ...['us-east-1', 'us-west-2', 'eu-west-1', 'sa-east-1', 'af-south-1', 'me-central-1'],
    ...['ap-south-1', 'ap-southeast-1', 'ap-southeast-2', 'ap-northeast-1'],
  ]
  it.each([
    ['New York', 'NA', -74, 'us-east-1'],
    ['Los Angeles', 'NA', -118, 'us-west-2'],
    ['Bogotá', 'SA', -74, 'sa-east-1'],
    ['Lisbon', 'EU', -9, 'eu-west-1'],
    ['Nairobi', 'AF', 37, 'af-south-1'],
    ['Dubai', 'AS', 55, 'me-central-1'],
    ['Delhi', 'AS', 77, 'ap-south-1'],
    ['Bangkok', 'AS', 100, 'ap-southeast-1'],
    ['Seoul', 'AS', 127, 'ap-northeast-1'],
    ['Auckland', 'OC', 175, 'ap-southeast-2'],
  ])('of %s (%s, %i°) is %s', (_, continent, longitude, region) => {
    expect(findNearest(REGIONS, continent, longitude)).toBe(region)
    expect(findNearest([...REGIONS].reverse(), continent, longitude)).toBe(region)
  })

  it('is selected by the continent if the longitude is unknown', () => {
    expect(findNearest(REGIONS, 'NA')).toBe('us-east-1')
    expect(findNearest(REGIONS, 'AS')).toBe('ap-southeast-1')
    expect(findNearest(REGIONS, 'EU')).toBe('eu-west-1')
  })

  it('is the one of the shortest measured round trip, from each place of the geography', () => {
    for (const { name, continent, longitude, roundTripMs } of PLACES) {
      const regions = Object.entries(roundTripMs).sort(([, one], [, other]) => one - other)
      const [[shortest] = []] = regions
      expect(`${name} ${findNearest(Object.keys(roundTripMs), continent, longitude)}`).toBe(`${name} ${shortest}`)
      const { 'us-east-1': toHome, 'eu-central-1': toReplica } = roundTripMs
      const nearer = toReplica < toHome ? 'eu-central-1' : 'us-east-1'
      expect(`${name} ${findNearest(['us-east-1', 'eu-central-1'], continent, longitude)}`).toBe(`${name} ${nearer}`)
    }
  })

  it('is undefined if the caller or the regions are unknown', () => {
    for (const continent of ['undefined', 'T1', 'AN']) {
      const rank = createRegionRanking({ continent, longitude: 10 })
      expect(new Set(REGIONS.map(rank)).size).toBe(1)
    }
    const rank = createRegionRanking({ continent: 'EU', longitude: 10 })
    expect(rank('mars-north-1')).toBe(rank('venus-east-1'))
    expect(rank('mars-north-1')).toBeGreaterThan(rank('ap-southeast-1'))
  })
})
