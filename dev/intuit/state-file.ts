import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import * as v from 'valibot'
import type { LedgerState } from './ledger.ts'

const code = v.object({
  value: v.string(),
  clientId: v.string(),
  redirectUri: v.string(),
  realmId: v.string(),
  expiresAt: v.number(),
  redeemedAs: v.optional(v.string()),
})
const grant = v.object({
  id: v.string(),
  clientId: v.string(),
  realmId: v.string(),
  alive: v.boolean(),
  refreshToken: v.string(),
  refreshTokenBornAt: v.number(),
  hardExpiresAt: v.number(),
  superseded: v.array(v.object({ value: v.string(), at: v.number() })),
  accessTokens: v.array(v.object({ value: v.string(), expiresAt: v.number() })),
})
const STATE = v.object({ codes: v.array(code), grants: v.array(grant), clockOffsetSeconds: v.number() })

export type Remembered = LedgerState & { clockOffsetSeconds: number }

const nothing = (): Remembered => ({ codes: [], grants: [], clockOffsetSeconds: 0 })

const isAbsent = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'

/** What an earlier run remembered. A damaged file is said on stderr and begun anew. */
export const readState = (path: string): Remembered => {
  try {
    const { codes, ...rest } = v.parse(STATE, JSON.parse(readFileSync(path, 'utf8')))
    return { ...rest, codes: codes.map((one) => ({ ...one, redeemedAs: one.redeemedAs })) }
  } catch (error) {
    if (!isAbsent(error)) process.stderr.write('The stand-in could not read its state file and begins anew.\n')
    return nothing()
  }
}

/** Writes beside and renames, so that a crash leaves the old state or the new one. */
export const writeState = (path: string, state: Remembered): void => {
  writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
