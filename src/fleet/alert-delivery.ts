import type { EpochSeconds } from '../broker/connection.ts'
import { type AlertPlan, addToWindow, findAlertGroup, toPendingMap } from './alert-plan.ts'
import type { Change } from './alerts.ts'
import type { Alert, AlertState, FleetIndex, Outbox, PendingNotification, SendAlert, WaitingAlert } from './ports.ts'

const MINUTE = 60
/**
 * After the first failed attempt. Doubled after each further one, up to `MAX_PAUSE`. The outbox keeps alerts for three
 * days.
 */
const FIRST_PAUSE = 5 * MINUTE
const MAX_PAUSE = 6 * 3600
/** Alerts of earlier runs that one run sends again. */
const MAX_RESENT = 10
/** Network calls of an alert: put or get, send, remove. */
const CALLS_PER_ALERT = 3
/** Network calls of an alert that is in the outbox: send, then remove or postpone. */
const CALLS_PER_DELIVERY = 2
/** The most queries for alerts that are due. */
const CALLS_TO_FIND_DUE = 3

/** What the delivery of alerts needs. */
export interface AlertDeliveryDeps {
  index: FleetIndex
  outbox: Outbox
  send: SendAlert
  /** Network calls that this run can still make for alerts. */
  callsLeft(): number
}

/** Number of alerts that were sent, and of those that were not accepted. */
export interface DeliveryCounts {
  sent: number
  failed: number
}

/** The result of a delivery. */
export interface AlertDelivery extends DeliveryCounts {
  /** The alert state after the delivery. */
  state: AlertState
}

const NOTHING_SENT: DeliveryCounts = { sent: 0, failed: 0 }

/** Puts an alert into the outbox. It is due in a minute, so that the next run sends it if this run ends early. */
async function putAlert({ outbox }: AlertDeliveryDeps, alert: Alert, now: EpochSeconds): Promise<void> {
  await outbox.put(alert, now, now + MINUTE)
}

/** Puts as many group alerts into the outbox as the calls of this run allow. */
async function putGroupAlerts(deps: AlertDeliveryDeps, alerts: readonly Alert[], now: EpochSeconds) {
  const stored = alerts.slice(0, Math.max(0, Math.floor(deps.callsLeft() / CALLS_PER_ALERT)))
  for (const alert of stored) await putAlert(deps, alert, now)
  return { stored, pendingAlerts: alerts.slice(stored.length) }
}

/**
 * Puts the alert of one change into the outbox and records the notification. `undefined`: the calls of this run do not
 * allow it. The next scan finds the change again, because nothing is recorded.
 */
async function putSingleAlert(
  deps: AlertDeliveryDeps,
  { companyKey, before, after, isRecorded, alert }: Change,
  queued: number,
  now: EpochSeconds,
) {
  if (!alert || deps.callsLeft() < 2 + CALLS_PER_DELIVERY * (queued + 1)) return undefined
  await putAlert(deps, alert, now)
  if (!isRecorded) await deps.index.setLastNotified(companyKey, before, after)
  const { id, type, at, data } = alert
  return { message: { id, type, at, data }, group: findAlertGroup(alert) }
}

/** Sends alerts until one is not accepted, because an endpoint that rejects one now most likely rejects all. */
async function deliver(
  { outbox, send, callsLeft }: AlertDeliveryDeps,
  alerts: readonly Pick<WaitingAlert, 'alert' | 'attempts'>[],
  now: EpochSeconds,
): Promise<DeliveryCounts> {
  for (const [sent, { alert, attempts }] of alerts.entries()) {
    // The outbox keeps what this run has no calls for.
    if (callsLeft() < CALLS_PER_DELIVERY) return { sent, failed: 0 }
    if (await send(alert)) {
      await outbox.remove(alert.id)
      continue
    }
    const pause = Math.min(FIRST_PAUSE * 2 ** attempts, MAX_PAUSE)
    await outbox.postpone(alert.id, attempts + 1, now + pause)
    return { sent, failed: alerts.length - sent }
  }
  return { sent: alerts.length, failed: 0 }
}

/** Sends alerts of earlier runs that are due. */
async function resend(deps: AlertDeliveryDeps, now: EpochSeconds): Promise<DeliveryCounts> {
  const limit = Math.min(MAX_RESENT, Math.floor((deps.callsLeft() - CALLS_TO_FIND_DUE) / CALLS_PER_ALERT))
  return limit < 1 ? NOTHING_SENT : deliver(deps, await deps.outbox.findDue(now, limit), now)
}

/** Puts the alerts of a plan into the outbox and records them, as far as the calls of this run allow. */
async function putAlerts(deps: AlertDeliveryDeps, { singleChanges, state }: AlertPlan, now: EpochSeconds) {
  const pending = toPendingMap(state.pendingNotifications)
  const { stored: groupAlerts, pendingAlerts } = await putGroupAlerts(deps, state.pendingAlerts, now)
  const alerts = [...groupAlerts]
  let { windows } = state
  for (const change of singleChanges) {
    const stored = await putSingleAlert(deps, change, alerts.length, now)
    if (!stored) break
    alerts.push(stored.message)
    pending.delete(change.companyKey)
    windows = addToWindow(windows, stored.group, 1, now)
  }
  return { alerts, state: { windows, pendingAlerts, pendingNotifications: [...pending.values()] } }
}

/**
 * Sends the alerts of a plan, then alerts of earlier runs that are due. Each alert is put into the outbox first, recorded
 * second and sent last, so that none is lost. The caller saves the state of the plan before.
 */
export async function deliverAlerts(
  deps: AlertDeliveryDeps,
  plan: AlertPlan,
  now: EpochSeconds,
): Promise<AlertDelivery> {
  const { alerts, state } = await putAlerts(deps, plan, now)
  const fresh = await deliver(
    deps,
    alerts.map((alert) => ({ alert, attempts: 0 })),
    now,
  )
  const again = fresh.failed > 0 ? NOTHING_SENT : await resend(deps, now)
  return { state, sent: fresh.sent + again.sent, failed: fresh.failed + again.failed }
}

/**
 * Writes as many notifications to their records as the calls of this run allow. Removes each one from `pending` once it
 * is written.
 */
export async function writeNotifications(
  { index, callsLeft }: AlertDeliveryDeps,
  pending: Map<string, PendingNotification>,
  silentChanges: readonly Change[],
): Promise<void> {
  for (const { companyKey, before, after } of [...pending.values(), ...silentChanges]) {
    if (callsLeft() < 1) return
    await index.setLastNotified(companyKey, before, after)
    pending.delete(companyKey)
  }
}
