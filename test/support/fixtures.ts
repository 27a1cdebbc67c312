import { createHash } from 'node:crypto'
import type { Connection } from '../../src/broker/connection.ts'

/** SHA-256 in hexadecimal. */
export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

let names = 0
/** Company keys, realms and addresses that no other test of the file uses. */
export const freshKey = () => `company-${++names}`
export const freshRealm = () => String(913_000_000_000_000 + ++names)
export const freshAddress = () => `198.18.${++names >> 8}.${names & 255}`

/** A connection with the given fields. All other fields are those of a record without tokens. */
export const createConnection = (fields: Partial<Connection> & Pick<Connection, 'companyKey'>): Connection => ({
  companyName: fields.companyKey,
  environment: 'production',
  realmId: undefined,
  realmProvenAt: undefined,
  accessToken: undefined,
  accessTokenExpiresAt: undefined,
  refreshToken: undefined,
  refreshTokenExpiresAt: undefined,
  refreshTokenHardExpiresAt: undefined,
  createdAt: undefined,
  updatedAt: undefined,
  lastRefreshAt: undefined,
  generation: 0,
  refreshTokenHash: undefined,
  writtenBy: undefined,
  lease: undefined,
  failure: undefined,
  disconnection: undefined,
  lastChange: undefined,
  refreshes: [],
  ...fields,
})
