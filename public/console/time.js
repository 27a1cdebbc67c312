const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const words = new Intl.RelativeTimeFormat('en', { numeric: 'always' })
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'medium' })

/** Now, in seconds since the Unix epoch, as all times of the API. */
export const nowSeconds = () => Math.floor(Date.now() / 1000)

/**
 * "in 43 minutes", "2 hours ago".
 * @param {number} at
 * @param {number} now
 */
export const relative = (at, now) => {
  const seconds = at - now
  const length = Math.abs(seconds)
  if (length < 2 * MINUTE) return words.format(seconds, 'second')
  if (length < 2 * HOUR) return words.format(Math.trunc(seconds / MINUTE), 'minute')
  if (length < 2 * DAY) return words.format(Math.trunc(seconds / HOUR), 'hour')
  return words.format(Math.trunc(seconds / DAY), 'day')
}

/**
 * "99 days left", "43 minutes left", "ended 2 days ago".
 * @param {number} until
 * @param {number} now
 */
export const left = (until, now) => {
  if (until <= now) return `ended ${relative(until, now)}`
  return `${relative(until, now).replace(/^in /, '')} left`
}

const FORMS = { relative, left }

/** @typedef {keyof typeof FORMS} TimeForm */

/**
 * A time in words, the exact one in its tooltip; `retell` keeps the words true.
 * @param {number} at
 * @param {TimeForm} form
 */
export const timeElement = (at, form) => {
  const element = document.createElement('time')
  element.dateTime = new Date(at * 1000).toISOString()
  element.title = exact.format(at * 1000)
  element.dataset['form'] = form
  element.textContent = FORMS[form](at, nowSeconds())
  return element
}

/** Brings the words of every time on the page up to date. */
export const retell = () => {
  const now = nowSeconds()
  for (const element of document.querySelectorAll('time')) {
    const at = Date.parse(element.dateTime) / 1000
    const text = element.dataset['form'] === 'left' ? left(at, now) : relative(at, now)
    if (element.textContent !== text) element.textContent = text
  }
}
