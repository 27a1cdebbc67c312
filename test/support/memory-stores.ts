import type { FoundState, RealmStore, Rescue, StateStore, Successor } from '../../src/broker/ports/storage.ts'
import { createMemoryConnections, createMemoryDisconnections, type Rows } from './memory-connections.ts'

/** A realm store in memory. */
const createMemoryRealms = (): RealmStore => {
  const holders = new Map<string, string>()
  const key = (environment: string, realmId: string) => `${environment} ${realmId}`
  return {
    findCompanyKey: async (environment, realmId) => holders.get(key(environment, realmId)),
    async record(environment, realmId, companyKey) {
      holders.set(key(environment, realmId), companyKey)
    },
    async remove(environment, realmId, companyKey) {
      if (holders.get(key(environment, realmId)) === companyKey) holders.delete(key(environment, realmId))
    },
  }
}

/** A state store in memory. */
const createMemoryStates = (): StateStore => {
  const states = new Map<string, FoundState>()
  return {
    async put(state) {
      states.set(state.nonce, { ...state, claim: undefined, outcome: undefined })
    },
    async claim(nonce, companyKey, claim, browserHash) {
      const state = states.get(nonce)
      if (state?.browserHash !== undefined && state.browserHash !== browserHash) return undefined
      if (state?.companyKey !== companyKey || state.expiresAt <= Math.floor(claim.at / 1000)) return undefined
      if (state.claim !== undefined && state.claim.id !== claim.id) return undefined
      state.claim = claim
      const { claim: _, outcome: __, ...claimed } = state
      return claimed
    },
    async read(nonce) {
      const state = states.get(nonce)
      return state && { ...state }
    },
    async settle(nonce, claimId, outcome) {
      const state = states.get(nonce)
      if (state?.claim?.id === claimId) state.outcome = outcome
    },
  }
}

/** Parked token pairs in memory. */
const createMemoryRescue = (parked: Map<string, Successor>): Rescue => ({
  async park(companyKey, usedTokenHash, successor) {
    parked.set(`${companyKey} ${usedTokenHash}`, successor)
  },
  async find(companyKey, usedTokenHash) {
    return parked.get(`${companyKey} ${usedTokenHash}`)
  },
  async remove(companyKey, usedTokenHash) {
    parked.delete(`${companyKey} ${usedTokenHash}`)
  },
})

/** All stores of the broker in memory. `rows` has the connection records, `parked` the token pairs by company key and hash. */
export const createMemoryStores = () => {
  const rows: Rows = new Map()
  const parked = new Map<string, Successor>()
  return {
    rows,
    parked,
    connections: createMemoryConnections(rows),
    disconnections: createMemoryDisconnections(rows),
    states: createMemoryStates(),
    realms: createMemoryRealms(),
    rescue: createMemoryRescue(parked),
  }
}
