/** An item as DynamoDB's API tells it, as far as a token answer needs it. */
export type Item = Record<string, { S?: string | undefined; N?: string | undefined; BOOL?: boolean | undefined }>

const number = (item: Item, name: string) => Number(item[name]?.N)

/** The API reference's response of `GET /api/token/{company_key}`, the same from every program. */
export const tokenAnswer = (item: Item) => ({
  company_key: item['company_key']?.S,
  company_name: item['company_name']?.S,
  realm_id: item['realm_id']?.S,
  access_token: item['access_token']?.S,
  access_token_expires_at: number(item, 'access_token_expires_at'),
  refresh_token_expires_at: number(item, 'refresh_token_expires_at'),
  updated_at: number(item, 'updated_at'),
  last_refresh_at: number(item, 'last_refresh_at'),
  uses_sandbox_credentials: item['uses_sandbox_credentials']?.BOOL,
})
