import type { Vault } from '../broker/ports.ts'
import { sha256Hex } from './digest.ts'

/** Tokens at rest as they are. */
export const plainVault: Vault = {
  seal: async (_companyKey, _name, token) => token,
  open: async (_companyKey, _name, stored) => stored,
  digest: sha256Hex,
}
