import { authorizationErrorCause } from '../broker/consent/intuit-errors.ts'
import type { ProblemCode, ProblemCompany } from '../problem.ts'
import type { Mark } from './layout.ts'

/** The copy of a problem page, for the owner of a company who does not know OAuth. */
export interface Words {
  mark: Mark
  title: string
  /** What happened. The page adds the state of the connection if it is known. */
  happened: string
  /** What to do now. */
  next: string
  /** Whether the page offers a link to try again. */
  retry: boolean
}

/** The facts that select the copy of a problem. */
export interface Situation {
  /** `undefined`: the problem occurred before the company was known. */
  standing: ProblemCompany['standing'] | undefined
  /** `button`: the page links to a retry. `link`: the person's own link may work. `new link`: it no longer works. */
  way: 'button' | 'link' | 'new link'
  /** The OAuth error code from Intuit, if there was one. */
  intuitError?: string | undefined
}

const SENDER = 'the person who sent you the link'

/** How to start again, as part of a sentence. */
const AGAIN: Record<Situation['way'], string> = {
  button: 'try again',
  link: `open the link that you received again, or ask ${SENDER} for a new one`,
  'new link': `ask ${SENDER} for a new one, because yours no longer works`,
}

function toSentence(text: string) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

type Wording = (again: string, standing: Situation['standing'], intuitError: string | undefined) => Words

const incomplete: Wording = (again) => ({
  mark: 'refused',
  title: 'This address is not complete',
  happened: 'Part of the address is missing or damaged. Nothing was changed.',
  next: toSentence(again),
  retry: true,
})

const wrongLink: Wording = () => ({
  mark: 'refused',
  title: 'This link does not work',
  happened: 'The link may be incomplete, or it may have been altered. Nothing was changed.',
  next: `Ask ${SENDER} for a new one.`,
  retry: false,
})

const ourFault: Wording = () => ({
  mark: 'refused',
  title: 'Something is wrong on our side',
  happened: 'You did nothing wrong.',
  next: `Tell ${SENDER}. The details below help them find the cause.`,
  retry: true,
})

const storageUnavailable: Wording = (again, standing) => ({
  mark: 'wait',
  title: 'We could not finish this right now',
  happened:
    standing === 'unknown'
      ? 'QuickBooks gave permission, but our storage did not answer. We keep trying, so it is not known yet whether the company is connected.'
      : 'Our storage did not answer. You did nothing wrong.',
  next: toSentence(`wait a minute, then ${again}`),
  retry: true,
})

const declined: Wording = (again, standing) => ({
  mark: 'refused',
  title: standing === 'connected' ? 'Nothing was changed' : 'Nothing was connected',
  happened: 'The request was declined in QuickBooks.',
  next: `If that is what you wanted, close this window. If not, ${again}, and choose to connect.`,
  retry: true,
})

/** The configuration of this deployment, or of its app at Intuit, is wrong. */
const setUpRefused: Wording = () => ({
  mark: 'refused',
  title: 'Something is wrong with our set-up',
  happened: 'You did nothing wrong. QuickBooks refused the request of this service.',
  next: `Tell ${SENDER}. The details below help them find the cause.`,
  retry: false,
})

const quickBooksUnavailable: Wording = (again) => ({
  mark: 'wait',
  title: 'QuickBooks is not available right now',
  happened: 'You did nothing wrong. QuickBooks could not handle the request.',
  next: toSentence(`wait a few minutes, then ${again}`),
  retry: true,
})

const authorizationDenied: Wording = (again, standing, intuitError = 'access_denied') => {
  const wordings = { owner: declined, setup: setUpRefused, intuit: quickBooksUnavailable }
  return wordings[authorizationErrorCause(intuitError)](again, standing, intuitError)
}

const exchangeFailed: Wording = (again, standing, intuitError = 'invalid_grant') => {
  if (intuitError !== 'invalid_grant') return setUpRefused(again, standing, intuitError)
  return {
    mark: 'refused',
    title: 'QuickBooks did not complete the connection',
    happened: 'You came back from QuickBooks, but QuickBooks did not complete the permission.',
    next: `${toSentence(again)} If that does not help, tell ${SENDER}.`,
    retry: true,
  }
}

const WORDINGS: Partial<Record<ProblemCode, Wording>> = {
  authorization_denied: authorizationDenied,
  invalid_state: (again) => ({
    mark: 'wait',
    title: 'This link has been used or has expired',
    happened:
      'A visit to QuickBooks works once, for a few minutes, and only in the browser where it started. Opening this address changed nothing.',
    next: `If you saw that your company is connected, close this window. If not, ${again}.`,
    retry: true,
  }),
  realm_mismatch: (again) => ({
    mark: 'refused',
    title: 'The company does not match',
    happened:
      'This link belongs to a QuickBooks company that is already connected, and QuickBooks did not confirm that you chose that one. Nothing was changed.',
    next: `${toSentence(`${again}. Choose the company that was connected before`)} To connect another company as well, ask ${SENDER} for a separate link. To replace the connected company, ask them to disconnect it first.`,
    retry: true,
  }),
  realm_in_use: (again) => ({
    mark: 'refused',
    title: 'This company is connected already',
    happened: 'The company that you chose is connected under another link. Nothing was changed.',
    next: `If you meant that company, you do not need to do anything. If not, ${again}, and choose another company.`,
    retry: true,
  }),
  connection_not_found: (again) => ({
    mark: 'refused',
    title: 'This connection was removed',
    happened: 'The connection was removed while you were in QuickBooks, so the permission was not stored.',
    next: toSentence(`if you still want to connect, ${again}`),
    retry: true,
  }),
  token_exchange_failed: exchangeFailed,
  intuit_unavailable: (again) => ({
    mark: 'wait',
    title: 'QuickBooks is not available right now',
    happened: 'You came back from QuickBooks, but QuickBooks did not respond correctly.',
    next: toSentence(`wait a few minutes, then ${again}`),
    retry: true,
  }),
  storage_unavailable: storageUnavailable,
  rate_limited: (again) => ({
    mark: 'wait',
    title: 'Too many tries at once',
    happened: 'There were too many visits in a short time. Nothing was changed.',
    next: toSentence(`wait a minute, then ${again}`),
    retry: true,
  }),
  invalid_start_link: () => ({
    mark: 'wait',
    title: 'This link has expired or was changed',
    happened: 'Connect links work for a limited time and exactly as they were sent. Nothing was changed.',
    next: `Ask ${SENDER} for a new one.`,
    retry: false,
  }),
  prefetch_refused: (again) => ({
    mark: 'wait',
    title: 'Open this link once more',
    happened: 'Your browser loaded it ahead of time. Nothing was changed.',
    next: toSentence(again),
    retry: true,
  }),
  forbidden: (again) => ({
    mark: 'wait',
    title: 'Open this link in a tab of its own',
    happened: 'The link works only if you open it yourself, not inside another page. Nothing was changed.',
    next: toSentence(again),
    retry: true,
  }),
  invalid_company_key: wrongLink,
  invalid_company_name: wrongLink,
  not_found: wrongLink,
  method_not_allowed: wrongLink,
  missing_code: incomplete,
  missing_state: incomplete,
  invalid_request: incomplete,
}

function hasWording(code: string): code is ProblemCode {
  return Object.hasOwn(WORDINGS, code)
}

/**
 * Returns the copy for a problem code. Codes without their own copy, and unknown codes, get the copy of an internal
 * error.
 */
export function copyFor(code: string, { standing, way, intuitError }: Situation): Words {
  const wording = (hasWording(code) ? WORDINGS[code] : undefined) ?? ourFault
  return wording(AGAIN[way], standing, intuitError)
}

/** The state of the connection, as the rest of a sentence after the company's name. `undefined`: it is not known. */
export function standingWords(standing: ProblemCompany['standing']): string | undefined {
  switch (standing) {
    case 'connected':
      return 'is still connected, with the permission that it had before.'
    case 'reconnect_required':
      return 'was connected before and needs new permission.'
    case 'not_connected':
      return 'is not connected.'
    case 'unknown':
      return undefined
  }
}
