import { authorizationErrorCause } from '../broker/consent/intuit-errors.ts'
import type { ProblemCode, ProblemCompany } from '../problem.ts'
import type { Mark } from './layout.ts'

/** A problem in the words of the owner of a company, who knows nothing of OAuth. */
export interface Words {
  mark: Mark
  title: string
  /** What happened. How the company's connection stands is said beside it, where that is known. */
  happened: string
  /** What to do now. */
  next: string
  /** Whether a link to try again helps. */
  retry: boolean
}

/** What the words of a problem depend on. */
export interface Situation {
  /** `undefined`: the problem came up before it was known which company it was for. */
  standing: ProblemCompany['standing'] | undefined
  /** `link`: the person has a link that may work, and this page has none. `new link`: theirs no longer works. */
  way: 'button' | 'link' | 'new link'
  /** Intuit's own error code, where it answered one. */
  intuitError?: string | undefined
}

const SENDER = 'the person who sent you the link'

/** How to begin again, as a part of a sentence. */
const AGAIN: Record<Situation['way'], string> = {
  button: 'try again',
  link: `open the link that you were given once more, or ask ${SENDER} for a new one`,
  'new link': `ask ${SENDER} for a new one: yours no longer works`,
}

function sentence(text: string) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

type Wording = (again: string, standing: Situation['standing'], intuitError: string | undefined) => Words

const incomplete: Wording = (again) => ({
  mark: 'refused',
  title: 'This address is not complete',
  happened: 'A part of the address is missing or damaged, so nothing was changed.',
  next: sentence(again),
  retry: true,
})

const wrongLink: Wording = () => ({
  mark: 'refused',
  title: 'This link does not work',
  happened: 'It was perhaps cut off or changed on its way to you. Nothing was changed.',
  next: `Ask ${SENDER} for a new one.`,
  retry: false,
})

const ourFault: Wording = () => ({
  mark: 'refused',
  title: 'Something is wrong on our side',
  happened: 'You did nothing wrong.',
  next: `Tell ${SENDER}. The details below help to find the cause.`,
  retry: true,
})

const storageUnavailable: Wording = (again, standing) => ({
  mark: 'wait',
  title: 'We could not finish this just now',
  happened:
    standing === 'unknown'
      ? 'QuickBooks gave its permission, but our storage did not answer. We go on trying, so it is not known yet whether the company is connected.'
      : 'Our storage did not answer. You did nothing wrong.',
  next: sentence(`wait a minute, then ${again}`),
  retry: true,
})

const declined: Wording = (again, standing) => ({
  mark: 'refused',
  title: standing === 'connected' ? 'Nothing was changed' : 'Nothing was connected',
  happened: 'The request was declined in QuickBooks.',
  next: `If that is what you wanted, close this window. If not, ${again}, and choose to connect.`,
  retry: true,
})

/** The set-up of this deployment, or of its app at Intuit. */
const setUpRefused: Wording = () => ({
  mark: 'refused',
  title: 'Something is wrong with our set-up',
  happened: 'You did nothing wrong. QuickBooks refused the request of this service.',
  next: `Tell ${SENDER}. The details below help to find the cause.`,
  retry: false,
})

const quickBooksUnavailable: Wording = (again) => ({
  mark: 'wait',
  title: 'QuickBooks is not available right now',
  happened: 'You did nothing wrong. QuickBooks could not handle the request.',
  next: sentence(`wait a few minutes, then ${again}`),
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
    happened: 'You came back from QuickBooks, but QuickBooks then did not hand over the permission.',
    next: `${sentence(again)} If that does not help, tell ${SENDER}.`,
    retry: true,
  }
}

const WORDINGS: Partial<Record<ProblemCode, Wording>> = {
  authorization_denied: authorizationDenied,
  invalid_state: (again) => ({
    mark: 'wait',
    title: 'This link has been used or has expired',
    happened:
      'A visit to QuickBooks counts once, only for some minutes, and only in the browser where it began. Opening this address changed nothing.',
    next: `If you saw that your company is connected, close this window. If not, ${again}.`,
    retry: true,
  }),
  realm_mismatch: (again) => ({
    mark: 'refused',
    title: 'The company does not match',
    happened:
      'This link belongs to a QuickBooks company that is connected already, and QuickBooks did not confirm that you chose that one. Nothing was changed.',
    next: `${sentence(`${again}. Choose the company that was connected before`)} To connect another company as well, ask ${SENDER} for a link of its own. To replace the company on purpose, ask them to disconnect the present one first.`,
    retry: true,
  }),
  realm_in_use: (again) => ({
    mark: 'refused',
    title: 'This company is connected already',
    happened: 'The company that you chose is connected under another link. Nothing was changed.',
    next: `If you meant that company, there is nothing to do. If not, ${again}, and choose another.`,
    retry: true,
  }),
  connection_not_found: (again) => ({
    mark: 'refused',
    title: 'This connection was removed',
    happened: 'While you were at QuickBooks, the connection was removed here, so the permission was not stored.',
    next: sentence(`if it is still wanted, ${again}`),
    retry: true,
  }),
  token_exchange_failed: exchangeFailed,
  intuit_unavailable: (again) => ({
    mark: 'wait',
    title: 'QuickBooks is not available right now',
    happened: 'You came back from QuickBooks, but QuickBooks then did not answer as it should.',
    next: sentence(`wait a few minutes, then ${again}`),
    retry: true,
  }),
  storage_unavailable: storageUnavailable,
  rate_limited: (again) => ({
    mark: 'wait',
    title: 'Too many tries at once',
    happened: 'There were very many visits in a short time, so we paused them. Nothing was changed.',
    next: sentence(`wait a minute, then ${again}`),
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
    next: sentence(again),
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

/** The words for a code. Whatever has none of its own is our fault. */
export function copyFor(code: string, { standing, way, intuitError }: Situation): Words {
  const wording = (hasWording(code) ? WORDINGS[code] : undefined) ?? ourFault
  return wording(AGAIN[way], standing, intuitError)
}

/** How the company's connection stands, after its name. `undefined`: that is not known. */
export function standingWords(standing: ProblemCompany['standing']): string | undefined {
  switch (standing) {
    case 'connected':
      return 'is still connected, with the permission that it had before.'
    case 'reconnect_required':
      return 'was connected before, and needs a new permission.'
    case 'not_connected':
      return 'is not connected.'
    case 'unknown':
      return undefined
  }
}
