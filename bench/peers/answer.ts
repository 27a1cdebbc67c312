/** The part of a DynamoDB item that a token response needs. */
export type Item = Record<string, { S?: string | undefined; N?: string | undefined; BOOL?: boolean | undefined }>

const parseSeconds = (item: Item, name: string) => Number(item[name]?.N)

/** The response of `GET /api/token/{company_key}` by the API reference. */
export const toTokenResponse = (item: Item) => ({
  company_key: item['company_key']?.S,
  company_name: item['company_name']?.S,
  realm_id: item['realm_id']?.S,
  access_token: item['access_token']?.S,
  access_token_expires_at: parseSeconds(item, 'access_token_expires_at'),
  refresh_token_expires_at: parseSeconds(item, 'refresh_token_expires_at'),
  updated_at: parseSeconds(item, 'updated_at'),
  last_refresh_at: parseSeconds(item, 'last_refresh_at'),
  uses_sandbox_credentials: item['uses_sandbox_credentials']?.BOOL,
})
