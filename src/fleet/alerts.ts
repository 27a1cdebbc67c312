import type { EpochSeconds } from '../broker/connection.ts'
import { connectionStatus, daysLeft, failureCode, firstExpiry, type Status } from '../broker/connection-status.ts'
import { DAY_SECONDS } from '../broker/timing.ts'
import type { Alert, IndexedConnection } from './ports.ts'

/** Days before an expiry that no refresh can move, at which the operator gets a warning. */
const WARNING_DAYS = [30, 7, 1] as const
/** A shorter failure causes no alert. */
const FAILING_AFTER_SECONDS = 300

/** The kinds of alerts about one connection. */
export type AlertKind = 'connected' | 'failing' | 'reconnect_required' | 'recovered' | 'expiring' | 'disconnected'

type Health = 'connected' | 'failing' | 'reconnect_required' | 'disconnected'

/**
 * The attribute `alerted`, parsed. It is the health, such as `connected`, or health and warning, such as
 * `connected:30`.
 */
interface LastNotified {
  health: Health
  /** The days of the last warning. */
  warnedDays: number | undefined
}

const HEALTH: Record<Status, Health | undefined> = {
  connected: 'connected',
  expiring: 'connected',
  failing: 'failing',
  reconnect_required: 'reconnect_required',
  disconnected: 'disconnected',
  unfinished: undefined,
}

function formatLastNotified({ health, warnedDays }: LastNotified) {
  return warnedDays === undefined ? health : `${health}:${warnedDays}`
}

function parseLastNotified(text: string): LastNotified {
  const [health, days] = text.split(':')
  const knownHealth = Object.values(HEALTH).find((one) => one !== undefined && one === health)
  return { health: knownHealth ?? 'connected', warnedDays: days === undefined ? undefined : Number(days) }
}

/** The days of the nearest warning that is due. With five days left, that is 7. */
function findDueWarning(indexed: IndexedConnection, now: EpochSeconds): number | undefined {
  const expiry = indexed.holdsRefreshToken ? firstExpiry(indexed.connection) : undefined
  if (expiry === undefined || expiry <= now) return undefined
  return WARNING_DAYS.filter((days) => expiry - now <= days * DAY_SECONDS).at(-1)
}

function findAlertKind(before: Health | undefined, now: Health): AlertKind | undefined {
  if (before === now) return undefined
  if (now !== 'connected') return now
  return before === undefined || before === 'disconnected' ? 'connected' : 'recovered'
}

function findHealth(indexed: IndexedConnection, before: Health | undefined, now: EpochSeconds) {
  const { connection } = indexed
  const health = HEALTH[connectionStatus(connection, indexed, now)]
  if (health !== 'failing' || !connection.failure) return health
  // A failed attempt does not change that the company has to be connected again.
  if (before === 'reconnect_required') return before
  return now - connection.failure.since < FAILING_AFTER_SECONDS ? (before ?? 'connected') : health
}

/** Whether a connection was made after alerts were configured. */
function isNew({ connection }: IndexedConnection, alertsSince: EpochSeconds) {
  const { createdAt = 0, generation, lastRefreshAt = 0 } = connection
  return createdAt >= alertsSince || (generation === 1 && lastRefreshAt >= alertsSince)
}

/** A change of one connection since the operator was last notified. */
export interface Change {
  companyKey: string
  /** The current value of the attribute `alerted`. */
  before: string | undefined
  /** The value of the attribute once the operator is notified. */
  after: string
  /** Whether nothing has to be written: the record has this value, or the value is implied by its age. */
  isRecorded: boolean
  /** `undefined`: the change is recorded without an alert. */
  alert: (Alert & { kind: AlertKind }) | undefined
}

function toAlert(
  indexed: IndexedConnection,
  kind: AlertKind,
  idSuffix: string,
  now: EpochSeconds,
): NonNullable<Change['alert']> {
  const { connection } = indexed
  const { companyKey, companyName, realmId, environment, failure } = connection
  const expiry = indexed.holdsRefreshToken ? firstExpiry(connection) : undefined
  return {
    kind,
    // Standard Webhooks signs `id.timestamp.body`, so an id must not contain a full stop.
    id: `msg_${kind}_${companyKey}_${idSuffix}`,
    type: `connection.${kind}`,
    at: now,
    data: {
      company_key: companyKey,
      company_name: companyName,
      realm_id: realmId ?? null,
      environment,
      status: connectionStatus(connection, indexed, now),
      expires_at: expiry ?? null,
      days_left: expiry === undefined ? null : daysLeft(expiry, now),
      last_error: failure
        ? { code: failureCode(failure.reason), at: failure.at, intuit_tid: failure.intuitTid ?? null }
        : null,
    },
  }
}

/** Since when there are alerts, and what the operator was already notified of. */
export interface AlertHistory {
  alertsSince: EpochSeconds
  /** The last notification, if the record does not have it yet. */
  pending: string | undefined
}

/**
 * Finds what changed since the operator was last notified of a connection. `undefined`: nothing. A connection that is
 * older than the alerts counts as notified as connected, so that a healthy fleet costs no writes. A change has one alert
 * at most: a warning that is due at the same time follows in the next scan.
 */
export function findChange(
  indexed: IndexedConnection,
  now: EpochSeconds,
  { alertsSince, pending }: AlertHistory,
): Change | undefined {
  const { connection, lastNotified } = indexed
  const implied = isNew(indexed, alertsSince) ? undefined : ('connected' satisfies Health)
  const recorded = lastNotified ?? implied
  const previous = pending ?? recorded
  const parsed = previous === undefined ? undefined : parseLastNotified(previous)
  const health = findHealth(indexed, parsed?.health, now)
  if (!health) return undefined
  const dueDays = findDueWarning(indexed, now)
  const kind = findAlertKind(parsed?.health, health)
  // A connection that was disconnected before there were alerts causes no alert.
  const isOld = lastNotified === undefined && kind === 'disconnected' && (connection.updatedAt ?? 0) < alertsSince
  const hasWarning = dueDays !== undefined && dueDays < (parsed?.warnedDays ?? Number.POSITIVE_INFINITY)
  const hasAlert = kind !== undefined && !isOld
  const after = formatLastNotified({ health, warnedDays: hasAlert && hasWarning ? parsed?.warnedDays : dueDays })
  if (after === previous) return undefined
  const change = { companyKey: connection.companyKey, before: lastNotified, after, isRecorded: after === recorded }
  const idSuffix = `${connection.generation}_${connection.failure?.since ?? 0}`
  if (hasAlert) return { ...change, alert: toAlert(indexed, kind, idSuffix, now) }
  const alert = hasWarning ? toAlert(indexed, 'expiring', `${dueDays}_${indexed.place.diesAt}`, now) : undefined
  return { ...change, alert }
}
