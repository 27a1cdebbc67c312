import { Problem, type ProblemCompany } from '../../problem.ts'
import { type Connection, type EpochSeconds, findOwnName, holdings } from '../connection.ts'
import { connectionStatus, type Status } from '../connection-status.ts'
import type { SignedLink, VerifiedLink } from '../ports/crypto.ts'
import type { AuthorizationState } from '../ports/storage.ts'

/** How to link to the start of a consent. */
export interface StartAgainDeps {
  /**
   * The URL where a person starts the consent of a company. `undefined`: that needs a signed link and there is none.
   */
  startUrl(companyKey: string, companyName: string | undefined, signed?: SignedLink | undefined): string | undefined
  /** Signs a verified link again. `undefined`: it has expired, or its key is no longer configured. */
  signAgain(companyKey: string, companyName: string | undefined, link: VerifiedLink): Promise<SignedLink | undefined>
}

const STANDING: Record<Status, ProblemCompany['standing']> = {
  connected: 'connected',
  expiring: 'connected',
  failing: 'connected',
  reconnect_required: 'reconnect_required',
  unfinished: 'not_connected',
  disconnected: 'not_connected',
}

function toStanding(connection: ConsentContext['connection'], now: EpochSeconds): ProblemCompany['standing'] {
  if (connection === 'unknown') return connection
  return connection ? STANDING[connectionStatus(connection, holdings(connection), now)] : 'not_connected'
}

function describeStanding(companyKey: string, standing: ProblemCompany['standing']): string | undefined {
  switch (standing) {
    case 'connected':
      return `The key ${companyKey} is still connected, with the tokens that it had before.`
    case 'reconnect_required':
      return `The key ${companyKey} still has to be connected again.`
    case 'not_connected':
      return `The key ${companyKey} is not connected.`
    case 'unknown':
      return undefined
  }
}

/** What is known about the company of a consent when the consent fails. */
export interface ConsentContext {
  state: AuthorizationState
  /** The last record that was read. `unknown`: a write is in progress. `undefined`: there is no record. */
  connection: Connection | 'unknown' | undefined
}

/** Where the person can start this consent again. Prefers the signed link that they opened, if it still works. */
async function findStartUrl(
  { companyKey, companyName, link }: AuthorizationState,
  { startUrl, signAgain }: StartAgainDeps,
) {
  const signed = link && (await signAgain(companyKey, companyName, link))
  const url = startUrl(companyKey, companyName, signed)
  if (signed) return { url, needsNewLink: false, text: 'Begin again with the same start link.' }
  if (url !== undefined) return { url, needsNewLink: false, text: `Begin again at /oauth/start/${companyKey}.` }
  if (link) return { url, needsNewLink: true, text: 'The start link no longer works. Ask for a new one.' }
  return { url, needsNewLink: false, text: 'Begin again with a signed start link.' }
}

/**
 * Adds to the problem of a failed consent which company it was for, whether that company is connected, and where to begin
 * again. Any other error is returned unchanged.
 */
export async function toConsentProblem(
  error: unknown,
  { state, connection }: ConsentContext,
  deps: StartAgainDeps,
  now: EpochSeconds,
): Promise<unknown> {
  if (!(error instanceof Problem)) return error
  const { url: startUrl, needsNewLink, text } = await findStartUrl(state, deps)
  const stored = connection === 'unknown' ? undefined : connection
  const company = {
    name: state.companyName ?? (stored ? findOwnName(stored) : state.companyKey),
    standing: toStanding(connection, now),
  }
  const sentences = [error.message, describeStanding(state.companyKey, company.standing), text]
  const detail = sentences.filter((sentence) => sentence !== undefined).join(' ')
  return error.with(detail, { company, startUrl, needsNewLink })
}
