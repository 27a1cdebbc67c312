/** The two environments of an Intuit app. */
export type Environment = 'production' | 'sandbox'

/** A company on the consent page. */
export interface Company {
  realmId: string
  name: string
}

/** The companies on the consent page. They are fictional. */
export const COMPANIES: Record<Environment, Company[]> = {
  production: [
    { realmId: '12314585920123', name: 'Beach Blend' },
    { realmId: '9130347596842384926', name: 'Harbour Books' },
    { realmId: '4620816365291847300', name: 'Müller & Söhne <Wood>' },
  ],
  sandbox: [
    { realmId: '4620816365000000001', name: 'Sandbox Company US 1' },
    { realmId: '4620816365000000002', name: 'Sandbox Company CA 2' },
    { realmId: '9341453000000000003', name: 'Sandbox Company UK 3' },
  ],
}
