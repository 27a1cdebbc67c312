import {
  type Connection,
  type ConnectionChange,
  type EpochMs,
  findOwnName,
  type StoredTokenPair,
} from '../connection.ts'
import type { Vault } from '../ports/crypto.ts'
import type { AuthorizationServer, ExchangeAnswer, RequestBinding } from '../ports/intuit.ts'
import type { FlowSettings, Runtime } from '../ports/runtime.ts'
import type { AuthorizationState, CompanyProof } from '../ports/storage.ts'
import { nowSeconds, storeDeadline, toSeconds } from '../timing.ts'
import { encryptTokenPair } from '../token-pair.ts'
import type { TokenCache } from '../tokens/token-cache.ts'
import { type CompanyProofDeps, proveCompany } from './company-proof.ts'
import { authorizationDenied, connectionRemoved, exchangeFailed, notStored, tooSlow } from './errors.ts'
import type { ConsentOutcomeDeps, Visit } from './outcome.ts'
import { type ConsentContext, toConsentProblem } from './problem.ts'
import {
  type ConsentTarget,
  checkRealm,
  type RealmCheck,
  type RealmGuardDeps,
  recordRealm,
  requireSameRealm,
} from './realm-guard.ts'
import { parseState } from './state.ts'
import { type StoreConsentDeps, type StoreConsentResult, storeConsent } from './store-consent.ts'

/** What a callback needs. */
export interface CallbackDeps extends RealmGuardDeps, ConsentOutcomeDeps, StoreConsentDeps, CompanyProofDeps {
  intuit: AuthorizationServer
  vault: Vault
  settings: Pick<FlowSettings, 'requireConsent'>
  tokenCache: Pick<TokenCache, 'invalidate'>
  runtime: Runtime
}

/** The parameters of the callback URL and its cookie. The format of each one is already validated. */
export type CallbackParameters = {
  state: string
  realmId: string | undefined
  /** The secret that start gave to the browser; `undefined` if the browser sends none. */
  browserSecret: string | undefined
} & ({ outcome: 'granted'; code: string } | { outcome: 'refused'; error: string })

/** A consent whose state this visit has claimed. No other visit can use that state. */
export interface PendingConsent {
  deps: CallbackDeps
  visit: Visit
  callback: CallbackParameters
  state: AuthorizationState
  connection: Connection | undefined
  /** The company key that the realm store has for this realm. */
  recordedKey: string | undefined
  /** Taken after the first response of the table, because that response may correct the clock. */
  claimedAt: EpochMs
}

/** A consent whose token pair is stored. */
export interface CompletedConsent {
  connection: Connection
  /** Whether the company is connected under another key as well. */
  sharesRealm: boolean
  /** Intuit's id of the call that issued the token pair. */
  intuitTid: string | undefined
}

/** A consent that passed every check that is possible before the code is exchanged. */
interface ValidatedConsent {
  target: ConsentTarget
  realmCheck: RealmCheck
  code: string
  binding: RequestBinding
  companyName: string
}

/** A consent whose code is exchanged. Nobody else has its tokens. */
interface IssuedConsent extends ValidatedConsent {
  /** The refresh token itself. */
  refreshToken: string
  stored: StoredTokenPair
  issuedAt: EpochMs
  proof: CompanyProof | undefined
  intuitTid: string | undefined
  /** The last change of the record that this consent has read. */
  after: ConnectionChange | undefined
}

/** Responds to the caller while the consent continues in the background. */
export type RespondEarly = (problem: unknown) => void

type CodeTokenResponse = Extract<ExchangeAnswer, { ok: true }>

/**
 * Claims the state. A callback without the browser's secret claims nothing. So nobody can complete a consent with a
 * planted link, and nobody who has seen the URL can take the consent away from its owner. `undefined`: this visit must
 * not use the state. Throws `storage_unavailable`.
 */
export async function claimConsent(
  deps: CallbackDeps,
  visit: Visit,
  callback: CallbackParameters,
): Promise<PendingConsent | undefined> {
  const { states, connections, realms, runtime } = deps
  const { companyKey, nonce, browserHash, claim } = visit
  const { realmId } = callback
  const { environmentHint } = parseState(callback.state)
  const findRecordedKey = async (environment = environmentHint) =>
    realmId === undefined ? undefined : realms.findCompanyKey(environment, realmId)
  const [state, connection, hintedKey] = await Promise.all([
    states.claim(nonce, companyKey, claim, browserHash),
    connections.read(companyKey, nowSeconds(runtime)),
    findRecordedKey(),
  ])
  if (!state) return undefined
  const claimedAt = runtime.now()
  const isHintRight = state.environment === environmentHint
  const recordedKey = isHintRight ? hintedKey : await findRecordedKey(state.environment)
  return { deps, visit, callback, state, connection, recordedKey, claimedAt }
}

/** Makes every check that can fail before the code is exchanged, because a code works once. */
async function validateConsent(consent: PendingConsent): Promise<ValidatedConsent> {
  const { deps, callback, state, connection, recordedKey, claimedAt } = consent
  const { runtime, timing, settings } = deps
  if (callback.outcome === 'refused') throw authorizationDenied(callback.error)
  const { companyKey, environment, link, binding } = state
  settings.requireConsent(environment)
  if (!connection) throw connectionRemoved()
  const target: ConsentTarget = { companyKey, environment, realmId: callback.realmId, isInvited: link !== undefined }
  requireSameRealm(connection, target)
  const realmCheck = await checkRealm(deps, target, recordedKey)
  // Workers end all work 30 s after the caller disconnects. There must be time left to store what Intuit issues.
  if (runtime.now() + timing().intuitMs > claimedAt + timing().deadlineMs) throw tooSlow()
  const companyName = state.companyName ?? findOwnName(connection)
  return { target, realmCheck, code: callback.code, binding, companyName }
}

/** Exchanges the code. Waits for a late response of Intuit even if the caller already has its response. */
async function exchangeCode(
  { intuit, log }: CallbackDeps,
  { target, code, binding }: ValidatedConsent,
  respondEarly: RespondEarly,
): Promise<CodeTokenResponse> {
  const { answer, late } = await intuit.exchange(target.environment, code, binding)
  if (answer.ok) return answer
  if (late !== undefined) respondEarly(exchangeFailed(answer))
  const lateAnswer = await late
  if (lateAnswer) log({ event: 'late_response', company_key: target.companyKey, intuit_tid: lateAnswer.intuitTid })
  if (lateAnswer?.ok) return lateAnswer
  throw exchangeFailed(lateAnswer ?? answer)
}

/**
 * If the callback URL named no company and the ID token does, checks only now whether another key has the realm. A failed
 * check must not lose the token pair.
 */
async function checkProvenRealm(
  deps: CallbackDeps,
  { target: before, realmCheck }: ValidatedConsent,
  target: ConsentTarget,
) {
  const { environment, realmId } = target
  if (before.realmId !== undefined || realmId === undefined) return realmCheck
  const check = async () => checkRealm(deps, target, await deps.realms.findCompanyKey(environment, realmId))
  return check().catch(() => realmCheck)
}

/** Validates the consent, exchanges its code, proves the company and encrypts the token pair. */
async function issueTokens(consent: PendingConsent, respondEarly: RespondEarly): Promise<IssuedConsent> {
  const { deps, connection } = consent
  const validated = await validateConsent(consent)
  const response = await exchangeCode(deps, validated, respondEarly)
  const { pair, intuitTid } = response
  const issuedAt = deps.runtime.now()
  const { realmId, proof } = await proveCompany(deps, validated.target, response)
  const target = { ...validated.target, realmId }
  const realmCheck = await checkProvenRealm(deps, validated, target)
  const stored = await encryptTokenPair(deps.vault, validated.target.companyKey, pair)
  const { refreshToken } = pair
  return {
    ...{ ...validated, target, realmCheck },
    ...{ refreshToken, stored, issuedAt, proof, intuitTid, after: connection?.lastChange },
  }
}

/** Stores the token pair, and beside it which company key the realm belongs to. */
async function storeTokens(
  { deps, visit, claimedAt }: PendingConsent,
  issued: IssuedConsent,
  respondEarly: RespondEarly,
): Promise<StoreConsentResult> {
  const { target, realmCheck, companyName, stored: pair, issuedAt: at, proof, after, refreshToken } = issued
  const { environment, realmId, isInvited } = target
  const [result] = await Promise.all([
    storeConsent(deps, {
      target,
      consent: { companyName, environment, realmId, proof, isInvited, pair, at, after, writer: visit.claim.id },
      refreshToken,
      deadline: storeDeadline(deps.timing(), at, claimedAt),
      onFailure: () => respondEarly(notStored()),
    }),
    recordRealm(deps, target, realmCheck, toSeconds(at)),
  ])
  return result
}

/**
 * Exchanges the code, once, and stores the token pair. Calls `reject` with the problem of the consent if the caller
 * should not wait any longer; the consent continues. Throws the problem if the consent fails.
 */
export async function completeConsent(consent: PendingConsent, reject: RespondEarly): Promise<CompletedConsent> {
  const { deps, state, visit } = consent
  const explain = (error: unknown, connection: ConsentContext['connection']) =>
    toConsentProblem(error, { state, connection }, deps, nowSeconds(deps.runtime))
  const throwExplained = (connection: ConsentContext['connection']) => async (error: unknown) => {
    throw await explain(error, connection)
  }
  const respondEarly = (problem: unknown) => {
    explain(problem, 'unknown').then(reject, reject)
  }
  const issued = await issueTokens(consent, respondEarly).catch(throwExplained(consent.connection))
  const result = await storeTokens(consent, issued, respondEarly).catch(throwExplained('unknown'))
  if ('refused' in result) throw await explain(result.refused, result.connection)
  deps.tokenCache.invalidate(visit.companyKey, result.stored.generation)
  return { connection: result.stored, sharesRealm: issued.realmCheck.isShared, intuitTid: issued.intuitTid }
}
