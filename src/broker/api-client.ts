import type { EpochSeconds } from './connection.ts'

/** The permissions of API keys. Each protected route requires one. */
export const PERMISSIONS = ['token:read', 'token:refresh', 'connection:read', 'connection:write'] as const
export type Permission = (typeof PERMISSIONS)[number]

/** The client of a valid API key. */
export interface ApiClient {
  /** The name of the key, for the log. */
  name: string
  may: readonly Permission[]
  /** Company keys. An entry that ends with `*` matches every key with that prefix. */
  companies: readonly string[]
}

/** An API client, and how its key is recognized. */
export interface ApiKey extends ApiClient {
  /** SHA-256 of the key, 64 lower-case hexadecimal digits. */
  digest: string
  /** The key is invalid from this time on. */
  expiresAt: EpochSeconds | undefined
}

/** A client with every permission for every company. */
export function withFullRights(name: string): ApiClient {
  return { name, may: PERMISSIONS, companies: ['*'] }
}

/** Whether the key of a client is for this company. */
export function canAccess({ companies }: ApiClient, companyKey: string): boolean {
  return companies.some((company) =>
    company.endsWith('*') ? companyKey.startsWith(company.slice(0, -1)) : companyKey === company,
  )
}
