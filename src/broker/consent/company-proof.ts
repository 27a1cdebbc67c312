import type { Vault } from '../ports/crypto.ts'
import type { IdTokenResult } from '../ports/intuit.ts'
import type { Log } from '../ports/runtime.ts'
import type { CompanyProof } from '../ports/storage.ts'
import { idTokenRejected, proofMissing, realmNotProven } from './errors.ts'
import type { ConsentTarget } from './realm-guard.ts'

export interface CompanyProofDeps {
  vault: Pick<Vault, 'digest'>
  log: Log
  /** Whether a consent needs an ID token that names the company. */
  requiresProof(): boolean
}

/** What Intuit's response says about the company and the person. */
interface ExchangeProof {
  /** `undefined` if Intuit sent none. */
  idToken: IdTokenResult | undefined
  intuitTid: string | undefined
}

/** The company of a consent. */
export interface ProvenCompany {
  realmId: string | undefined
  /** `undefined`: only the browser named the company. */
  proof: CompanyProof | undefined
}

/**
 * Compares the company in the callback URL, which is whatever the browser sends, with the company in Intuit's ID token.
 * Call it before anything is stored. Throws `realm_mismatch` if they differ, and `token_exchange_failed` for an ID token
 * that is wrong, or missing although one is required.
 */
export async function proveCompany(
  { vault, log, requiresProof }: CompanyProofDeps,
  { companyKey, realmId }: ConsentTarget,
  { idToken, intuitTid }: ExchangeProof,
): Promise<ProvenCompany> {
  const reject = (reason: string, problem: Error) => {
    log({ event: 'realm_not_proven', company_key: companyKey, reason, intuit_tid: intuitTid })
    return problem
  }
  if (idToken && !idToken.ok) throw reject(idToken.fault, idTokenRejected(intuitTid))
  if (idToken?.realmId === undefined) {
    if (requiresProof()) throw reject('missing', proofMissing(intuitTid))
    return { realmId, proof: undefined }
  }
  if (realmId !== undefined && realmId !== idToken.realmId) throw reject('other_realm', realmNotProven())
  log({ event: 'realm_proven', company_key: companyKey })
  return { realmId: idToken.realmId, proof: { subjectHash: await vault.digest(`${companyKey}:${idToken.subject}`) } }
}
