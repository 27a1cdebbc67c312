import { devNull } from 'node:os'

/**
 * Keeps the machine's own settings for AWS away from what runs on it: a profile, an endpoint, a region, FIPS or
 * dual-stack endpoints would stop or divert the clients of the embedded DynamoDB. Call it before a client is made.
 */
export const clearAwsSettings = (environment: NodeJS.ProcessEnv = process.env): void => {
  for (const name of Object.keys(environment)) if (/^AWS_/i.test(name)) delete environment[name]
  // The same settings may stand in the files of ~/.aws.
  environment['AWS_CONFIG_FILE'] = devNull
  environment['AWS_SHARED_CREDENTIALS_FILE'] = devNull
}
