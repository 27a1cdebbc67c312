import { type BrokerDeps, createBroker } from '../../src/broker/broker.ts'
import type { Vault } from '../../src/broker/ports/crypto.ts'
import { DEFAULT_TIMING } from '../../src/broker/timing.ts'
import { createLinkSigner } from '../../src/crypto/link-signer.ts'

/** Does not encrypt. */
export const plainVault: Vault = {
  encrypt: async (_companyKey, _name, token) => token,
  decrypt: async (_companyKey, _name, stored) => stored,
  digest: async (token) => token,
}

type Given = Pick<BrokerDeps, 'connections' | 'disconnections' | 'states' | 'realms' | 'intuit' | 'runtime'>

/** A broker over stores in memory: no rescue store, no encryption, no token cache, and the default settings. */
export const createMemoryBroker = (deps: Given & Partial<BrokerDeps>) =>
  createBroker({
    rescue: undefined,
    requiresProof: () => false,
    oneKeyPerRealm: () => false,
    settings: { requireConsent: () => undefined, requireRefresh: () => undefined, requireDisconnect: () => undefined },
    vault: plainVault,
    linkSigner: createLinkSigner(() => []),
    startLinkMode: () => 'open',
    bindsBrowser: () => false,
    timing: () => DEFAULT_TIMING,
    log: () => undefined,
    cacheSeconds: () => 0,
    marginSeconds: () => 300,
    stateTtlSeconds: () => 600,
    startUrl: () => '',
    ...deps,
  })
