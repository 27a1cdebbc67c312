/**
 * A connection in the form of the API. Times are epoch seconds. Only the members before `status` are always present.
 * @typedef {{
 *   company_key: string, company_name: string, environment: string, connected: boolean,
 *   realm_id: string | null, access_token_expires_at: number | null, refresh_token_expires_at: number | null,
 *   last_refresh_at: number | null,
 *   status?: string, refresh_token_hard_expires_at?: number | null,
 *   disconnection?: { at: number, revocation: string, intuit_tid: string | null } | null,
 *   last_error?: { code: string, at?: number, intuit_tid?: string } | null
 * }} Connection
 */

/** @typedef {'connected' | 'expiring' | 'failing' | 'reconnect_required' | 'unfinished' | 'disconnected'} Status */

/** A refresh extends a refresh token to about 100 days, so a connection in use never gets below this. */
const EXPIRING_SECONDS = 30 * 24 * 3600

const RECONNECT = 'Send a start link to the owner of the company.'

/** The result of the revocation at Intuit. @type {Record<string, string>} */
const REVOCATIONS = {
  confirmed: 'Intuit confirmed that they are revoked.',
  unconfirmed: 'Intuit did not confirm that they are revoked.',
  pending: 'Intuit has not revoked them yet. Disconnect once more to ask again.',
}

/**
 * Label, tone and explanation of each status, as in the table of docs/operations.md.
 * @type {Record<Status, { label: string, tone: string, means(connection: Connection): string }>}
 */
export const STATUSES = {
  connected: { label: 'Connected', tone: 'done', means: () => '' },
  expiring: { label: 'Expiring', tone: 'wait', means: () => `Its permission expires soon. ${RECONNECT}` },
  failing: { label: 'Failing', tone: 'wait', means: () => 'The last refresh failed. The service will try again.' },
  reconnect_required: {
    label: 'Reconnect required',
    tone: 'refused',
    means: ({ connected }) =>
      `${connected ? 'Its tokens are stored, but can no longer be refreshed.' : 'One of its tokens is missing.'} ${RECONNECT}`,
  },
  unfinished: {
    label: 'Unfinished',
    tone: 'quiet',
    means: ({ refresh_token_expires_at: expiresAt }) =>
      expiresAt === null
        ? 'Someone opened a start link, but has not given permission yet.'
        : 'Only a refresh token is stored. The first refresh completes the connection.',
  },
  disconnected: {
    label: 'Disconnected',
    tone: 'quiet',
    means: ({ disconnection }) =>
      `No tokens are stored. ${REVOCATIONS[disconnection?.revocation ?? ''] ?? ''} A start link connects it again.`.replace(
        '  ',
        ' ',
      ),
  },
}

/** @param {string | undefined} status @returns {status is Status} */
const isStatus = (status) => status !== undefined && Object.hasOwn(STATUSES, status)

/** @param {(number | null | undefined)[]} times */
const findEarliest = (times) => Math.min(...times.filter((time) => typeof time === 'number'))

/** Infers the stored tokens from their expiry times. @param {Connection} connection @returns {Status} */
const findIncompleteStatus = (connection) => {
  const [hasAccess, hasRefresh] = [
    connection.access_token_expires_at !== null,
    connection.refresh_token_expires_at !== null,
  ]
  if (hasRefresh && !hasAccess) return 'unfinished'
  if (hasAccess && !hasRefresh) return 'reconnect_required'
  return connection.realm_id === null ? 'unfinished' : 'disconnected'
}

/** Whether a refresh token is stored. @param {Connection} connection @param {Status} status */
export const canRefresh = ({ connected, refresh_token_expires_at: expiresAt }, status) =>
  connected || (status === 'unfinished' && expiresAt !== null)

/** Whether there are tokens to erase or to revoke. @param {Connection} connection @param {Status} status */
export const canDisconnect = (connection, status) =>
  canRefresh(connection, status) ||
  status === 'reconnect_required' ||
  status === 'failing' ||
  connection.disconnection?.revocation === 'pending'

/**
 * The status from the service, or one derived from the metadata if the service does not send any.
 * @param {Connection} connection
 * @param {number} now
 * @returns {Status}
 */
export const findStatus = (connection, now) => {
  if (isStatus(connection.status)) return connection.status
  if (!connection.connected) return findIncompleteStatus(connection)
  const end = findEarliest([connection.refresh_token_expires_at, connection.refresh_token_hard_expires_at])
  if (end <= now) return 'reconnect_required'
  return end - now < EXPIRING_SECONDS ? 'expiring' : 'connected'
}

/**
 * Counts statuses: "3 connections: 2 connected, 1 expiring".
 * @param {Status[]} statuses
 */
export const summarize = (statuses) => {
  if (statuses.length === 0) return ''
  const counts = Object.entries(STATUSES).flatMap(([status, { label }]) => {
    const count = statuses.filter((one) => one === status).length
    return count === 0 ? [] : [`${count} ${label.toLowerCase()}`]
  })
  return `${statuses.length} ${statuses.length === 1 ? 'connection' : 'connections'}: ${counts.join(', ')}`
}
