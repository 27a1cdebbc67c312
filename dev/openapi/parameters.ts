import type { GenericSchema } from 'valibot'
import {
  AUTHORIZATION_CODE,
  COMPANY_KEY,
  COMPANY_NAME,
  CURSOR,
  ENVIRONMENT,
  IF_MATCH,
  LIMIT,
  LINK_EXPIRES_AT,
  LINK_KEY_ID,
  LINK_SIGNATURE,
  MIN_TTL,
  NO_CACHE,
  OAUTH_ERROR,
  REALM,
  STATE,
  STATUS,
} from '../../src/routes/schemas/parameters.ts'

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  schema: GenericSchema
  required?: true
  example: unknown
}

/** `components.parameters`, by component name. */
export const PARAMETERS = {
  companyKey: { name: 'company_key', in: 'path', schema: COMPANY_KEY, required: true, example: 'beach-blend' },
  companyName: { name: 'company_name', in: 'query', schema: COMPANY_NAME, example: 'Beach Blend' },
  expiresAt: { name: 'exp', in: 'query', schema: LINK_EXPIRES_AT, example: '1775775600' },
  keyId: { name: 'kid', in: 'query', schema: LINK_KEY_ID, example: 'links-2026' },
  signature: {
    name: 'sig',
    in: 'query',
    schema: LINK_SIGNATURE,
    example: 'q5zB1rTn3cVw0yXk8mFj2sLd7hGa4uPe6iOo9tRbNcE',
  },
  code: { name: 'code', in: 'query', schema: AUTHORIZATION_CODE, example: 'AB11785429816rcysb9dns1' },
  state: { name: 'state', in: 'query', schema: STATE, required: true, example: 'beach-blend:9lT0vWc2bq8Yw3nD5kRz7A' },
  realmId: { name: 'realmId', in: 'query', schema: REALM, example: '12314585920123' },
  error: { name: 'error', in: 'query', schema: OAUTH_ERROR, example: 'access_denied' },
  minTtl: { name: 'min_ttl', in: 'query', schema: MIN_TTL, example: 900 },
  ifMatch: { name: 'If-Match', in: 'header', schema: IF_MATCH, example: '"7"' },
  limit: { name: 'limit', in: 'query', schema: LIMIT, example: 20 },
  cursor: { name: 'cursor', in: 'query', schema: CURSOR, example: 'eyJhbGciOiJkaXIi..9lT0vWc2.bq8Yw3nD.5kRz7A' },
  status: { name: 'status', in: 'query', schema: STATUS, example: 'reconnect_required' },
  environment: { name: 'environment', in: 'query', schema: ENVIRONMENT, example: 'production' },
  noCache: { name: 'Cache-Control', in: 'header', schema: NO_CACHE, example: 'no-cache' },
} satisfies Record<string, Parameter>
