import type { Rescue, Successor } from '../../src/broker/ports/storage.ts'

/** Parked pairs in memory. Each call is one atomic step. */
export const memoryRescue = () => {
  const rows = new Map<string, Successor>()
  const store: Rescue = {
    async park(companyKey, usedTokenHash, successor) {
      rows.set(`${companyKey} ${usedTokenHash}`, successor)
    },
    async find(companyKey, usedTokenHash) {
      return rows.get(`${companyKey} ${usedTokenHash}`)
    },
    async remove(companyKey, usedTokenHash) {
      rows.delete(`${companyKey} ${usedTokenHash}`)
    },
  }
  return { store, rows }
}
