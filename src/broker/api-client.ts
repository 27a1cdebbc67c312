import type { EpochSeconds } from './connection.ts'

/** What a caller may do. Each protected route asks for one of them. */
export const PERMISSIONS = ['token:read', 'token:refresh', 'connection:read', 'connection:write'] as const
export type Permission = (typeof PERMISSIONS)[number]

/** Who is calling, as the key that was presented tells. */
export interface ApiClient {
  /** The key's name, for the log. */
  name: string
  may: readonly Permission[]
  /** Company keys; one that ends with `*` stands for all that begin so. */
  companies: readonly string[]
}

/** A caller and what its key is known by. */
export interface ApiKey extends ApiClient {
  /** SHA-256 of the key, 64 lower-case hexadecimal digits. */
  digest: string
  /** From then on the key is wrong. */
  expiresAt: EpochSeconds | undefined
}

/** The caller with the one key of a simple set-up: it may do everything. */
export function withFullRights(name: string): ApiClient {
  return { name, may: PERMISSIONS, companies: ['*'] }
}

/** Whether a caller's key is meant for this company. */
export function canAccess({ companies }: ApiClient, companyKey: string): boolean {
  return companies.some((company) =>
    company.endsWith('*') ? companyKey.startsWith(company.slice(0, -1)) : companyKey === company,
  )
}
