import { canDisconnect, canRefresh, STATUSES, statusOf } from './connection.js'
import { element, onPress } from './dom.js'
import { nowSeconds, timeElement } from './time.js'

/** @import { Connection, Status } from './connection.js' */
/** @import { TimeForm } from './time.js' */

/**
 * @typedef {{ link(): Promise<void>, refresh(): Promise<void>, disconnect(): Promise<void>, forget?: () => Promise<void> }} Actions
 */

/** @param {string} term @param {number | null | undefined} at @param {TimeForm} form @param {string} unknown */
const fact = (term, at, form, unknown) =>
  element(
    'div',
    '',
    element('dt', '', term),
    element('dd', '', typeof at === 'number' ? timeElement(at, form) : unknown),
  )

/** @param {Connection} connection */
const facts = (connection) => [
  fact('Token expires', connection.access_token_expires_at, 'relative', 'none yet'),
  fact('Last refreshed', connection.last_refresh_at, 'relative', 'never'),
  fact('Refresh token', connection.refresh_token_expires_at, 'left', 'none yet'),
  fact('Five-year limit', connection.refresh_token_hard_expires_at, 'left', 'not known'),
]

/** @param {Connection} connection @param {Status} status */
const identity = (connection, status) => {
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
const explanation = (connection, status) => {
  const { last_error: error } = connection
  const means = STATUSES[status].means(connection)
  if (!error) return means
  return `${means} Last error: ${error.code}${error.intuit_tid ? ` (${error.intuit_tid})` : ''}.`.trim()
}

/** @param {string} label @param {string} className @param {() => Promise<void>} work */
const button = (label, className, work) => {
  const made = element('button', className, label)
  made.type = 'button'
  onPress(made, work)
  return made
}

/**
 * One connection on the page. Its buttons stay in place while what they act on changes.
 * @param {Actions} actions
 * @param {boolean} offersDisconnect
 */
export const createCard = (actions, offersDisconnect) => {
  const who = element('div', 'identity')
  const what = element('dl', 'facts')
  const note = element('p', 'note message')
  const message = element('p', 'message')
  message.setAttribute('role', 'status')
  const refresh = button('Refresh', 'quiet', actions.refresh)
  const disconnect = button('Disconnect…', 'quiet danger', actions.disconnect)
  const buttons = element('div', 'actions', button('Start link', 'quiet', actions.link), refresh, disconnect)
  if (actions.forget) buttons.append(button('Remove here', 'quiet', actions.forget))
  const item = element('li', 'card', who, what, buttons, note, message)

  return {
    item,
    /** @param {string} text @param {boolean} isBad */
    say: (text, isBad) => {
      message.textContent = text
      message.classList.toggle('bad', isBad)
    },
    /** @param {Connection} connection */
    show: (connection) => {
      const status = statusOf(connection, nowSeconds())
      who.replaceChildren(...identity(connection, status))
      what.replaceChildren(...facts(connection))
      note.textContent = explanation(connection, status)
      refresh.hidden = !canRefresh(connection, status)
      disconnect.hidden = !canDisconnect(connection, status) || !offersDisconnect
      for (const one of buttons.children)
        one.setAttribute('aria-label', `${one.textContent}, ${connection.company_name}`)
    },
  }
}

/** @typedef {ReturnType<typeof createCard>} Card */
