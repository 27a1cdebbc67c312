import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'

const settings = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'aws-secret',
  DYNAMODB_TABLE: 'connections',
}

/** Where Amazon's own client asks. */
const endpointOfSdk = (region: string) => {
  const { endpointProvider } = new DynamoDBClient({ region }).config
  return endpointProvider({ Region: region, UseFIPS: false, UseDualStack: false }, {}).url.href
}

const REGIONS = [
  ...['us-east-1', 'us-west-2', 'eu-central-2', 'ap-northeast-3', 'ap-southeast-7', 'sa-east-1', 'ca-west-1'],
  ...['me-central-1', 'af-south-1', 'il-central-1', 'mx-central-1', 'us-gov-west-1', 'us-gov-east-1'],
  ...['cn-north-1', 'cn-northwest-1', 'eusc-de-east-1', 'us-iso-east-1', 'us-iso-west-1', 'us-isob-east-1'],
  ...['eu-isoe-west-1', 'us-isof-south-1', 'us-isof-east-1'],
]

describe('the endpoint of a region', () => {
  it.each(REGIONS)('%s is the one that Amazon’s own client uses, for the primary region and for replicas', (region) => {
    const config = readConfig({ ...settings, AWS_REGION: region, DYNAMODB_READ_REGIONS: region })
    expect(config.storage()).toMatchObject({ region, endpoint: endpointOfSdk(region) })
    expect(config.readRegions()).toEqual([{ region, endpoint: endpointOfSdk(region) }])
  })

  it.each([
    ...['us-east1', 'useast1', 'us_east_1', 'us-east-1a', 'us-east-', 'US-EAST-1', 'us-est-1', 'us-gov-1'],
    ...['cn-north1', 'eu-west', 'eusc-east-1', 'eu-iso-west-1', 'Ireland', 'us-east-1.amazonaws.com'],
  ])('%s is no region, and is refused by name', (region) => {
    const config = readConfig({ ...settings, AWS_REGION: region, DYNAMODB_READ_REGIONS: `eu-west-1,${region}` })
    expect(() => config.storage()).toThrow('AWS_REGION must be a region such as us-east-1')
    expect(() => config.readRegions()).toThrow('DYNAMODB_READ_REGIONS must be regions such as eu-west-1,sa-east-1')
  })

  it.each(['local', 'localhost', 'us-fake-1', 'elsewhere', 'cn-north-1'])(
    'is no matter where another endpoint is given, as %s is',
    (region) => {
      const endpoint = 'http://127.0.0.1:8000'
      const named = { AWS_REGION: region, DYNAMODB_READ_REGIONS: `${region}=${endpoint}` }
      const config = readConfig({ ...settings, ...named, DYNAMODB_ENDPOINT: endpoint })
      expect(config.storage()).toMatchObject({ region, endpoint })
      expect(config.readRegions()).toEqual([{ region, endpoint }])
    },
  )

  it.each(['us-east1', 'useast1', 'us-east-1a', 'US-EAST-1'])(
    '%s is refused with another endpoint, too: it is a region misspelt',
    (region) => {
      const config = readConfig({ ...settings, AWS_REGION: region, DYNAMODB_ENDPOINT: 'http://127.0.0.1:8000' })
      expect(config.storage).toThrow('AWS_REGION must be a region such as us-east-1')
    },
  )
})
