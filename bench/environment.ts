import { randomBytes } from 'node:crypto'
import type { Intuit } from '../dev/intuit/server.ts'

const secret = () => randomBytes(24).toString('base64url')

export const TABLE = 'connections'
/** What every program is told. Secrets are made anew for each run. */
export const storageVars = (endpoint: string) => ({
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: secret(),
  DYNAMODB_TABLE: TABLE,
  DYNAMODB_ENDPOINT: endpoint,
})

export const REDIRECT_URI = 'http://localhost:8787/oauth/callback'

export const newApp = () => ({ clientId: `bench-${secret()}`, clientSecret: secret() })

/** The whole set-up of this service, sealing included. */
export const serviceVars = (endpoint: string, intuit: Intuit, app: ReturnType<typeof newApp>) => ({
  ...storageVars(endpoint),
  API_KEY: secret(),
  QUICKBOOKS_CLIENT_ID: app.clientId,
  QUICKBOOKS_CLIENT_SECRET: app.clientSecret,
  QUICKBOOKS_REDIRECT_URI: REDIRECT_URI,
  INTUIT_AUTHORIZATION_ENDPOINT: `${intuit.url}/connect/oauth2`,
  INTUIT_TOKEN_ENDPOINT: `${intuit.url}/oauth2/v1/tokens/bearer`,
  INTUIT_REVOCATION_ENDPOINT: `${intuit.url}/v2/oauth2/tokens/revoke`,
  TOKEN_ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('base64')}`,
})

export type ServiceVars = ReturnType<typeof serviceVars>
