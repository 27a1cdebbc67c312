import { devNull } from 'node:os'

/**
 * Removes the AWS settings of this machine from the environment. A profile, endpoint, region, FIPS or dual-stack setting
 * would break or divert clients of the embedded DynamoDB. Call it before you create a client.
 */
export const clearAwsSettings = (environment: NodeJS.ProcessEnv = process.env): void => {
  for (const name of Object.keys(environment)) if (/^AWS_/i.test(name)) delete environment[name]
  // The files of ~/.aws can contain the same settings.
  environment['AWS_CONFIG_FILE'] = devNull
  environment['AWS_SHARED_CREDENTIALS_FILE'] = devNull
}
