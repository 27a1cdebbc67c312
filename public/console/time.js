const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const words = new Intl.RelativeTimeFormat('en', { numeric: 'always' })
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'medium' })

/** The current time in epoch seconds, the unit of all times of the API. */
export const nowSeconds = () => Math.floor(Date.now() / 1000)

/**
 * Formats a time relative to now: "in 43 minutes", "2 hours ago".
 * @param {number} at
 * @param {number} now
 */
export const formatRelative = (at, now) => {
  const seconds = at - now
  const length = Math.abs(seconds)
  if (length < 2 * MINUTE) return words.format(seconds, 'second')
  if (length < 2 * HOUR) return words.format(Math.trunc(seconds / MINUTE), 'minute')
  if (length < 2 * DAY) return words.format(Math.trunc(seconds / HOUR), 'hour')
  return words.format(Math.trunc(seconds / DAY), 'day')
}

/**
 * Formats a remaining time: "99 days left", "43 minutes left", "ended 2 days ago".
 * @param {number} until
 * @param {number} now
 */
export const formatLeft = (until, now) => {
  if (until <= now) return `ended ${formatRelative(until, now)}`
  return `${formatRelative(until, now).replace(/^in /, '')} left`
}

const FORMS = { relative: formatRelative, left: formatLeft }

/** @typedef {keyof typeof FORMS} TimeForm */

/**
 * Creates a `time` element with the exact time in its tooltip. `updateTimes` keeps its text current.
 * @param {number} at
 * @param {TimeForm} form
 */
export const createTimeElement = (at, form) => {
  const element = document.createElement('time')
  element.dateTime = new Date(at * 1000).toISOString()
  element.title = exact.format(at * 1000)
  element.dataset['form'] = form
  element.textContent = FORMS[form](at, nowSeconds())
  return element
}

/** Updates the text of every time on the page. */
export const updateTimes = () => {
  const now = nowSeconds()
  for (const element of document.querySelectorAll('time')) {
    const at = Date.parse(element.dateTime) / 1000
    const text = element.dataset['form'] === 'left' ? formatLeft(at, now) : formatRelative(at, now)
    if (element.textContent !== text) element.textContent = text
  }
}
