import type { Rescue, Successor } from '../../src/broker/ports.ts'

/** Parked pairs in memory. Each call is one atomic step. */
export const memoryRescue = () => {
  const rows = new Map<string, Successor>()
  const store: Rescue = {
    async park(companyKey, spentHash, successor) {
      rows.set(`${companyKey} ${spentHash}`, successor)
    },
    async find(companyKey, spentHash) {
      return rows.get(`${companyKey} ${spentHash}`)
    },
    async forget(companyKey, spentHash) {
      rows.delete(`${companyKey} ${spentHash}`)
    },
  }
  return { store, rows }
}
