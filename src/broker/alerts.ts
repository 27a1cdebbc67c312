import type { EpochSeconds } from './connection.ts'
import type { Alert, Sighting } from './fleet-ports.ts'
import { daysLeft, failureCode, firstDeath, type Status, statusOf } from './status.ts'

/** Days before a death that no refresh prevents, at which the operator is told. */
const WARNING_DAYS = [30, 7, 1] as const
const DAY_SECONDS = 24 * 3600
/** A failure that is younger may be gone before anybody reads of it. */
const FAILING_AFTER_SECONDS = 300

/** What the operator hears of one connection. */
export type AlertKind = 'connected' | 'failing' | 'reconnect_required' | 'recovered' | 'expiring' | 'disconnected'

/** What was last told: `connected`, or with the warning, `connected:30`. */
interface Told {
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

function toldText({ health, warnedDays }: Told) {
  return warnedDays === undefined ? health : `${health}:${warnedDays}`
}

function toldOf(text: string): Told {
  const [health, days] = text.split(':')
  const known = Object.values(HEALTH).find((one) => one !== undefined && one === health)
  return { health: known ?? 'connected', warnedDays: days === undefined ? undefined : Number(days) }
}

/** The nearest warning that is due: 7 with five days left. */
function warningDue(sighting: Sighting, now: EpochSeconds): number | undefined {
  const death = sighting.holdsRefreshToken ? firstDeath(sighting.connection) : undefined
  if (death === undefined || death <= now) return undefined
  return WARNING_DAYS.filter((days) => death - now <= days * DAY_SECONDS).at(-1)
}

function kindOf(before: Health | undefined, now: Health): AlertKind | undefined {
  if (before === now) return undefined
  if (now !== 'connected') return now
  return before === undefined || before === 'disconnected' ? 'connected' : 'recovered'
}

function healthNow(sighting: Sighting, before: Health | undefined, now: EpochSeconds) {
  const { connection } = sighting
  const health = HEALTH[statusOf(connection, sighting, now)]
  if (health !== 'failing' || !connection.failure) return health
  // What had to be connected again still has to, whatever an attempt meets meanwhile.
  if (before === 'reconnect_required') return before
  return now - connection.failure.since < FAILING_AFTER_SECONDS ? (before ?? 'connected') : health
}

/** Whether a connection that the operator was told nothing of came to be after alerts were configured. */
function isNews({ connection }: Sighting, alertsSince: EpochSeconds) {
  const { createdAt = 0, generation, lastRefreshAt = 0 } = connection
  return createdAt >= alertsSince || (generation === 1 && lastRefreshAt >= alertsSince)
}

/** A change of one connection: what to tell of it, if anything, and what to note on its record. */
export interface Change {
  companyKey: string
  before: string | undefined
  told: string
  alerts: (Alert & { kind: AlertKind })[]
}

function alertOf(sighting: Sighting, kind: AlertKind, moment: string, now: EpochSeconds): Change['alerts'][number] {
  const { connection } = sighting
  const { companyKey, companyName, realmId, environment, failure } = connection
  const death = sighting.holdsRefreshToken ? firstDeath(connection) : undefined
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
      status: statusOf(connection, sighting, now),
      expires_at: death ?? null,
      days_left: death === undefined ? null : daysLeft(death, now),
      last_error: failure
        ? { code: failureCode(failure.reason), at: failure.at, intuit_tid: failure.intuitTid ?? null }
        : null,
    },
  }
}

/** What changed since the operator was last told of a connection; `undefined`: nothing. */
export function changeOf(sighting: Sighting, now: EpochSeconds, alertsSince: EpochSeconds): Change | undefined {
  const { connection, alerted } = sighting
  const before = alerted === undefined ? undefined : toldOf(alerted)
  const health = healthNow(sighting, before?.health, now)
  if (!health) return undefined
  const due = warningDue(sighting, now)
  const told = toldText({ health, warnedDays: due })
  if (told === alerted) return undefined
  const kind = kindOf(before?.health, health)
  // The first look at a fleet that was there before tells what is wrong, and not what is there.
  const isOld = !before && !isNews(sighting, alertsSince) && (kind === 'connected' || kind === 'disconnected')
  const warns = due !== undefined && due < (before?.warnedDays ?? Number.POSITIVE_INFINITY)
  const moment = `${connection.generation}_${connection.failure?.since ?? 0}`
  return {
    companyKey: connection.companyKey,
    before: alerted,
    told,
    alerts: [
      ...(kind && !isOld ? [alertOf(sighting, kind, moment, now)] : []),
      ...(warns ? [alertOf(sighting, 'expiring', `${due}_${sighting.place.diesAt}`, now)] : []),
    ],
  }
}
