import { Problem, type ProblemCompany } from '../../problem.ts'
import { type Connection, type EpochSeconds, holdings } from '../connection.ts'
import { connectionStatus, type Status } from '../connection-status.ts'
import type { SignedLink, VerifiedLink } from '../ports/crypto.ts'
import type { AuthorizationState } from '../ports/storage.ts'

/** The start links that lead a person back to a consent. */
export interface StartAgain {
  /** Where a person begins the consent for a company again; `undefined` where that takes a signed link and there is none. */
  startUrl(companyKey: string, companyName: string | undefined, signed?: SignedLink | undefined): string | undefined
  /** The signed part of a link that was verified before. `undefined`: it has expired, or its key is gone. */
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

function standingOf(connection: ConsentContext['connection'], now: EpochSeconds): ProblemCompany['standing'] {
  if (connection === 'unknown') return connection
  return connection ? STANDING[connectionStatus(connection, holdings(connection), now)] : 'not_connected'
}

function standingText(companyKey: string, standing: ProblemCompany['standing']): string | undefined {
  switch (standing) {
    case 'connected':
      return `The key ${companyKey} is still connected, with the tokens that it had before.`
    case 'reconnect_required':
      return `The key ${companyKey} has to be connected again, as before.`
    case 'not_connected':
      return `The key ${companyKey} is not connected.`
    case 'unknown':
      return undefined
  }
}

/** What the callback knows of the company once it has claimed the state. */
export interface ConsentContext {
  state: AuthorizationState
  /** As the table had it last. `unknown`: a write is under way. */
  connection: Connection | 'unknown' | undefined
}

/** Where the consent of this state can begin again: by the link that was opened, as long as that works. */
async function startAgain({ companyKey, companyName, link }: AuthorizationState, { startUrl, signAgain }: StartAgain) {
  const signed = link && (await signAgain(companyKey, companyName, link))
  const url = startUrl(companyKey, companyName, signed)
  if (signed) return { url, needsNewLink: false, text: 'Begin again with the same start link.' }
  if (url !== undefined) return { url, needsNewLink: false, text: `Begin again at /oauth/start/${companyKey}.` }
  if (link) return { url, needsNewLink: true, text: 'The start link no longer works: make a new one.' }
  return { url, needsNewLink: false, text: 'Begin again with a signed start link.' }
}

/**
 * Adds to a failed consent what every reader of it needs: which company it was for, whether that one is connected all
 * the same, and where to begin again.
 */
export async function toConsentProblem(
  error: unknown,
  { state, connection }: ConsentContext,
  links: StartAgain,
  now: EpochSeconds,
): Promise<unknown> {
  if (!(error instanceof Problem)) return error
  const { url: startUrl, needsNewLink, text } = await startAgain(state, links)
  const stored = connection === 'unknown' ? undefined : connection
  const company = {
    name: state.companyName ?? stored?.companyName ?? state.companyKey,
    standing: standingOf(connection, now),
  }
  const sentences = [error.message, standingText(state.companyKey, company.standing), text]
  const detail = sentences.filter((sentence) => sentence !== undefined).join(' ')
  return error.with(detail, { company, startUrl, needsNewLink })
}
