import { canDisconnect, canRefresh, findStatus, STATUSES } from './connection.js'
import { element, onPress } from './dom.js'
import { createTimeElement, nowSeconds } from './time.js'

/** @import { Connection, Status } from './connection.js' */
/** @import { TimeForm } from './time.js' */

/**
 * @typedef {{ link(): Promise<void>, refresh(): Promise<void>, disconnect(): Promise<void>, remove?: () => Promise<void> }} Actions
 */

/** @param {string} term @param {number | null | undefined} at @param {TimeForm} form @param {string} unknown */
const createFact = (term, at, form, unknown) =>
  element(
    'div',
    '',
    element('dt', '', term),
    element('dd', '', typeof at === 'number' ? createTimeElement(at, form) : unknown),
  )

/** @param {Connection} connection */
const createFacts = (connection) => [
  createFact('Token expires', connection.access_token_expires_at, 'relative', 'none yet'),
  createFact('Last refreshed', connection.last_refresh_at, 'relative', 'never'),
  createFact('Refresh token', connection.refresh_token_expires_at, 'left', 'none yet'),
  createFact('Five-year limit', connection.refresh_token_hard_expires_at, 'left', 'unknown'),
]

/** @param {Connection} connection @param {Status} status */
const createIdentity = (connection, status) => {
  const { label, tone } = STATUSES[status]
  const of = [connection.environment, ...(connection.realm_id === null ? [] : [`company ${connection.realm_id}`])]
  return [
    element(
      'div',
      'title',
      element('h2', '', element('bdi', '', connection.company_name)),
      element('span', `badge ${tone}`, label),
    ),
    element('p', '', element('code', '', connection.company_key)),
    element('p', 'note', of.join(' · ')),
  ]
}

/** @param {Connection} connection @param {Status} status */
const explain = (connection, status) => {
  const { last_error: error } = connection
  const means = STATUSES[status].means(connection)
  if (!error) return means
  return `${means} Last error: ${error.code}${error.intuit_tid ? ` (${error.intuit_tid})` : ''}.`.trim()
}

/** @param {string} label @param {string} className @param {() => Promise<void>} work */
const createButton = (label, className, work) => {
  const made = element('button', className, label)
  made.type = 'button'
  onPress(made, work)
  return made
}

/**
 * One connection on the page. Its buttons stay in place when the connection changes, so that the keyboard focus stays.
 * @param {Actions} actions
 * @param {boolean} offersDisconnect
 */
export const createCard = (actions, offersDisconnect) => {
  const who = element('div', 'identity')
  const what = element('dl', 'facts')
  const note = element('p', 'note message')
  const message = element('p', 'message')
  message.setAttribute('role', 'status')
  const refresh = createButton('Refresh', 'quiet', actions.refresh)
  const disconnect = createButton('Disconnect…', 'quiet danger', actions.disconnect)
  const buttons = element('div', 'actions', createButton('Start link', 'quiet', actions.link), refresh, disconnect)
  if (actions.remove) buttons.append(createButton('Remove here', 'quiet', actions.remove))
  const item = element('li', 'card', who, what, buttons, note, message)

  return {
    item,
    /** @param {string} text @param {boolean} isBad */
    setMessage: (text, isBad) => {
      message.textContent = text
      message.classList.toggle('bad', isBad)
    },
    /** @param {Connection} connection */
    show: (connection) => {
      const status = findStatus(connection, nowSeconds())
      who.replaceChildren(...createIdentity(connection, status))
      what.replaceChildren(...createFacts(connection))
      note.textContent = explain(connection, status)
      refresh.hidden = !canRefresh(connection, status)
      disconnect.hidden = !canDisconnect(connection, status) || !offersDisconnect
      for (const one of buttons.children)
        one.setAttribute('aria-label', `${one.textContent}, ${connection.company_name}`)
    },
  }
}

/** @typedef {ReturnType<typeof createCard>} Card */
