/**
 * A connection as the API describes it. Only the first block is always there.
 * @typedef {{
 *   company_key: string, company_name: string, environment: string, connected: boolean,
 *   realm_id: string | null, access_token_expires_at: number | null, refresh_token_expires_at: number | null,
 *   last_refresh_at: number | null,
 *   status?: string, refresh_token_hard_expires_at?: number | null,
 *   last_error?: { code: string, at?: number, intuit_tid?: string } | null
 * }} Connection
 */

/** @typedef {'connected' | 'expiring' | 'failing' | 'reconnect_required' | 'unfinished' | 'disconnected'} Status */

/** A refresh keeps a token for some 100 days: one that nears its end was forgotten. */
const EXPIRING_SECONDS = 30 * 24 * 3600

/**
 * What a status is called, how grave it is, and what may be done about it.
 * @type {Record<Status, { label: string, tone: string, means: string }>}
 */
export const STATUSES = {
  connected: { label: 'Connected', tone: 'done', means: '' },
  expiring: { label: 'Expiring', tone: 'wait', means: 'Its permission ends soon.' },
  failing: { label: 'Failing', tone: 'wait', means: 'The last refresh failed; it is tried again.' },
  reconnect_required: {
    label: 'Reconnect required',
    tone: 'refused',
    means: 'Intuit no longer accepts its token. Send a start link to the owner of the company.',
  },
  unfinished: {
    label: 'Unfinished',
    tone: 'quiet',
    means: 'A start link was opened, but permission was not given yet.',
  },
  disconnected: {
    label: 'Disconnected',
    tone: 'quiet',
    means: 'Its tokens are erased. A start link connects it again.',
  },
}

/** @param {string | undefined} status @returns {status is Status} */
const isStatus = (status) => status !== undefined && Object.hasOwn(STATUSES, status)

/** @param {(number | null | undefined)[]} times */
const earliest = (times) => Math.min(...times.filter((time) => typeof time === 'number'))

/**
 * The status that the service tells, or what the metadata alone allow to say.
 * @param {Connection} connection
 * @param {number} now
 * @returns {Status}
 */
export const statusOf = (connection, now) => {
  if (isStatus(connection.status)) return connection.status
  if (!connection.connected) return connection.realm_id === null ? 'unfinished' : 'disconnected'
  const end = earliest([connection.refresh_token_expires_at, connection.refresh_token_hard_expires_at])
  if (end <= now) return 'reconnect_required'
  return end - now < EXPIRING_SECONDS ? 'expiring' : 'connected'
}

/**
 * "3 connections: 2 connected, 1 expiring".
 * @param {Status[]} statuses
 */
export const summary = (statuses) => {
  if (statuses.length === 0) return ''
  const counts = Object.entries(STATUSES).flatMap(([status, { label }]) => {
    const count = statuses.filter((one) => one === status).length
    return count === 0 ? [] : [`${count} ${label.toLowerCase()}`]
  })
  return `${statuses.length} ${statuses.length === 1 ? 'connection' : 'connections'}: ${counts.join(', ')}`
}
