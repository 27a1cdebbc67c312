import type { EpochSeconds } from '../broker/connection.ts'
import { connectionStatus, daysLeft, failureCode, firstExpiry, type Status } from '../broker/connection-status.ts'
import type { Alert, IndexedConnection } from './ports.ts'

/** Days before a death that no refresh prevents, at which the operator is told. */
const WARNING_DAYS = [30, 7, 1] as const
const DAY_SECONDS = 24 * 3600
/** A failure that is younger may be gone before anybody reads of it. */
const FAILING_AFTER_SECONDS = 300

/** What the operator hears of one connection. */
export type AlertKind = 'connected' | 'failing' | 'reconnect_required' | 'recovered' | 'expiring' | 'disconnected'

/** What was last told: `connected`, or with the warning, `connected:30`. */
interface LastNotified {
  health: Health
  warnedDays: number | undefined
}
type Health = 'connected' | 'failing' | 'reconnect_required' | 'disconnected'

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
  const known = Object.values(HEALTH).find((one) => one !== undefined && one === health)
  return { health: known ?? 'connected', warnedDays: days === undefined ? undefined : Number(days) }
}

/** The nearest warning that is due: 7 with five days left. */
function warningDue(indexed: IndexedConnection, now: EpochSeconds): number | undefined {
  const expiry = indexed.holdsRefreshToken ? firstExpiry(indexed.connection) : undefined
  if (expiry === undefined || expiry <= now) return undefined
  return WARNING_DAYS.filter((days) => expiry - now <= days * DAY_SECONDS).at(-1)
}

function findAlertKind(before: Health | undefined, now: Health): AlertKind | undefined {
  if (before === now) return undefined
  if (now !== 'connected') return now
  return before === undefined || before === 'disconnected' ? 'connected' : 'recovered'
}

function healthNow(indexed: IndexedConnection, before: Health | undefined, now: EpochSeconds) {
  const { connection } = indexed
  const health = HEALTH[connectionStatus(connection, indexed, now)]
  if (health !== 'failing' || !connection.failure) return health
  // What had to be connected again still has to, whatever an attempt meets meanwhile.
  if (before === 'reconnect_required') return before
  return now - connection.failure.since < FAILING_AFTER_SECONDS ? (before ?? 'connected') : health
}

/** Whether a connection came to be after alerts were configured. */
function isNew({ connection }: IndexedConnection, alertsSince: EpochSeconds) {
  const { createdAt = 0, generation, lastRefreshAt = 0 } = connection
  return createdAt >= alertsSince || (generation === 1 && lastRefreshAt >= alertsSince)
}

/** A change of one connection: what to tell of it, if anything, and what to note on its record. */
export interface Change {
  companyKey: string
  /** The attribute `alerted` as it is. */
  before: string | undefined
  told: string
  /** The record says so already: by its attribute, or by being as old and well as a record without one. */
  isNoted: boolean
  alert: (Alert & { kind: AlertKind }) | undefined
}

function toAlert(
  indexed: IndexedConnection,
  kind: AlertKind,
  moment: string,
  now: EpochSeconds,
): NonNullable<Change['alert']> {
  const { connection } = indexed
  const { companyKey, companyName, realmId, environment, failure } = connection
  const expiry = indexed.holdsRefreshToken ? firstExpiry(connection) : undefined
  return {
    kind,
    // No full stop: it parts the id from the rest in what is signed.
    id: `msg_${kind}_${companyKey}_${moment}`,
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

interface Notified {
  alertsSince: EpochSeconds
  /** What the operator was last told, where the record does not say so yet. */
  pending: string | undefined
}

/**
 * What changed since the operator was last told of a connection; `undefined`: nothing. One that is older than the alerts
 * counts as told that it is connected, so that a healthy fleet needs no note. A change has one alert at the most: a
 * warning that comes with another change follows at the next look.
 */
export function findChange(
  indexed: IndexedConnection,
  now: EpochSeconds,
  { alertsSince, pending }: Notified,
): Change | undefined {
  const { connection, lastNotified } = indexed
  const implied = isNew(indexed, alertsSince) ? undefined : ('connected' satisfies Health)
  const noted = lastNotified ?? implied
  const recorded = pending ?? noted
  const before = recorded === undefined ? undefined : parseLastNotified(recorded)
  const health = healthNow(indexed, before?.health, now)
  if (!health) return undefined
  const due = warningDue(indexed, now)
  const kind = findAlertKind(before?.health, health)
  // What was disconnected before there were alerts is no news.
  const isSilent = lastNotified === undefined && kind === 'disconnected' && (connection.updatedAt ?? 0) < alertsSince
  const warns = due !== undefined && due < (before?.warnedDays ?? Number.POSITIVE_INFINITY)
  const tells = kind !== undefined && !isSilent
  const told = formatLastNotified({ health, warnedDays: tells && warns ? before?.warnedDays : due })
  if (told === recorded) return undefined
  const change = { companyKey: connection.companyKey, before: lastNotified, told, isNoted: told === noted }
  const moment = `${connection.generation}_${connection.failure?.since ?? 0}`
  if (tells) return { ...change, alert: toAlert(indexed, kind, moment, now) }
  return { ...change, alert: warns ? toAlert(indexed, 'expiring', `${due}_${indexed.place.diesAt}`, now) : undefined }
}
