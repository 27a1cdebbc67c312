import type { ProblemCode } from '../problem.ts'
import type { Mark } from './page.ts'

/** A problem in the words of the owner of a company, who knows nothing of OAuth. */
interface Words {
  mark: Mark
  title: string
  /** What happened, and what did not. */
  happened: string
  /** What to do now. */
  next: string
  /** Whether a link to try again helps. */
  retry: boolean
}

const SENDER = 'the person who sent you the link'

const INCOMPLETE: Words = {
  mark: 'refused',
  title: 'This address is not complete',
  happened: 'A part of the address is missing or damaged, so nothing was connected.',
  next: 'Begin again with the link that you were given.',
  retry: true,
}

const WRONG_LINK: Words = {
  mark: 'refused',
  title: 'This link does not work',
  happened: 'It was perhaps cut off or changed on its way to you. Nothing was connected.',
  next: `Ask ${SENDER} for a new one.`,
  retry: false,
}

const OUR_FAULT: Words = {
  mark: 'refused',
  title: 'Something is wrong on our side',
  happened: 'You did nothing wrong. The company was not connected, and nothing changed in QuickBooks.',
  next: `Tell ${SENDER}. The details below help to find the cause.`,
  retry: true,
}

const PEOPLE: Partial<Record<ProblemCode, Words>> = {
  authorization_denied: {
    mark: 'refused',
    title: 'Nothing was connected',
    happened: 'The request was declined in QuickBooks, so this service has no access.',
    next: 'If that is what you wanted, close this window. If not, try again and choose to connect.',
    retry: true,
  },
  invalid_state: {
    mark: 'wait',
    title: 'This link has been used or has expired',
    happened: 'A visit to QuickBooks counts once and only for some minutes. Opening it again changed nothing.',
    next: 'If you saw that your company is connected, all is well: close this window. If not, try again.',
    retry: true,
  },
  realm_mismatch: {
    mark: 'refused',
    title: 'This is a different company',
    happened:
      'The link belongs to a connection with another QuickBooks company than the one you chose. Nothing was changed.',
    next: `Try again and choose the company that was connected before. To connect this one as well, ask ${SENDER} for a link of its own.`,
    retry: true,
  },
  realm_in_use: {
    mark: 'refused',
    title: 'This company is connected already',
    happened: 'The company that you chose is connected under another link. Nothing was changed.',
    next: `There is nothing to do if you meant that company. If not, try again and choose another, or ask ${SENDER}.`,
    retry: true,
  },
  connection_not_found: {
    mark: 'refused',
    title: 'This connection was removed',
    happened: 'While you were at QuickBooks, the connection was removed here. Nothing was connected.',
    next: `Try again, or ask ${SENDER} whether it is still wanted.`,
    retry: true,
  },
  token_exchange_failed: {
    mark: 'refused',
    title: 'QuickBooks did not complete the connection',
    happened: 'You gave your permission, but QuickBooks then refused to hand it over. The company is not connected.',
    next: 'Try again. That usually settles it.',
    retry: true,
  },
  intuit_unavailable: {
    mark: 'wait',
    title: 'QuickBooks cannot be reached right now',
    happened: 'You gave your permission, but QuickBooks did not answer. The company is not connected.',
    next: 'Wait a few minutes, then try again.',
    retry: true,
  },
  storage_unavailable: {
    mark: 'wait',
    title: 'We could not finish this just now',
    happened: 'Our storage does not answer. You did nothing wrong, and the company is not connected yet.',
    next: 'Wait a minute, then try again.',
    retry: true,
  },
  rate_limited: {
    mark: 'wait',
    title: 'Too many tries at once',
    happened: 'This link was opened very often in a short time, so we paused it. Nothing was changed.',
    next: 'Wait a minute, then try again.',
    retry: true,
  },
  invalid_start_link: {
    mark: 'wait',
    title: 'This link has expired or was changed',
    happened: 'Connect links work for a limited time and exactly as they were sent. Nothing was connected.',
    next: `Ask ${SENDER} for a new one.`,
    retry: false,
  },
  invalid_company_key: WRONG_LINK,
  invalid_company_name: WRONG_LINK,
  not_found: WRONG_LINK,
  method_not_allowed: WRONG_LINK,
  missing_code: INCOMPLETE,
  missing_state: INCOMPLETE,
  invalid_request: INCOMPLETE,
}

function isPeoples(code: string): code is ProblemCode {
  return Object.hasOwn(PEOPLE, code)
}

/** The words for a code. Whatever has none of its own is our fault. */
export function wordsFor(code: string): Words {
  return (isPeoples(code) ? PEOPLE[code] : undefined) ?? OUR_FAULT
}
