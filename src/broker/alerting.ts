import { bundled, bundleOf, counted } from './alert-bundles.ts'
import type { Change } from './alerts.ts'
import type { EpochSeconds } from './connection.ts'
import type { Alert, AlertWindows, FleetIndex, Outbox, SendAlert, Waiting } from './fleet-ports.ts'

const MINUTE = 60
/** After the first attempt in vain, doubled up to the longest. The outbox keeps an alert for three days. */
const FIRST_PAUSE = 5 * MINUTE
const LONGEST_PAUSE = 6 * 3600
/** Alerts of earlier runs that are sent again in one. */
const RESENT = 10
/** What an alert takes: put, send, delete. A note on the record takes one. */
const CALLS_AN_ALERT = 3

export interface AlertingPorts {
  index: FleetIndex
  outbox: Outbox
  send: SendAlert
  /** Calls that this run may still make for alerts. */
  callsLeft(): number
}

export interface Alerted {
  windows: AlertWindows
  sent: number
  failed: number
}

/** Brings changes to the operator: into the outbox, noted on the record, sent, in this order, so that none is lost. */
export function alerting({ index, outbox, send, callsLeft }: AlertingPorts) {
  const put = async (alerts: Alert[], now: EpochSeconds) => {
    // Due in a minute, so that a run that ends here leaves them to the next.
    for (const alert of alerts) await outbox.put(alert, now, now + MINUTE)
  }

  /** What does not fit into the calls of this run is seen again in the next round, as nothing is noted of it. */
  const announce = async (changes: readonly Change[], before: AlertWindows, now: EpochSeconds) => {
    const { many, changes: news, windows: bundledWindows } = bundled(changes, before, now)
    let windows = bundledWindows
    await put(many, now)
    const announced = [...many]
    // Silent ones last: they wait, and nobody with them.
    for (const { companyKey, before, told, alerts } of news.sort(
      (one, other) => other.alerts.length - one.alerts.length,
    )) {
      const toSend = announced.length + alerts.length
      if (callsLeft() < 1 + alerts.length + 2 * toSend) break
      await put(alerts, now)
      await index.noteAlerted(companyKey, before, told)
      for (const alert of alerts) windows = counted(windows, bundleOf(alert), 1, now)
      announced.push(...alerts)
    }
    return { announced, windows }
  }

  /** Stops at the first that is not taken: whoever takes none now takes no other either. Resolves to how many were. */
  const deliver = async (alerts: Pick<Waiting, 'alert' | 'attempts'>[], now: EpochSeconds): Promise<number> => {
    for (const [position, { alert, attempts }] of alerts.entries()) {
      if (await send(alert)) {
        await outbox.delivered(alert.id)
        continue
      }
      const pause = Math.min(FIRST_PAUSE * 2 ** attempts, LONGEST_PAUSE)
      await outbox.postpone(alert.id, attempts + 1, now + pause)
      return position
    }
    return alerts.length
  }

  return async (changes: readonly Change[], before: AlertWindows, now: EpochSeconds): Promise<Alerted> => {
    const { announced, windows } = await announce(changes, before, now)
    const fresh = announced.map(({ id, type, at, data }) => ({ alert: { id, type, at, data }, attempts: 0 }))
    const sent = await deliver(fresh, now)
    const room = Math.min(RESENT, Math.floor((callsLeft() - 1) / CALLS_AN_ALERT))
    if (sent < fresh.length || room < 1) return { windows, sent, failed: fresh.length - sent }
    const waiting = await outbox.due(now, room)
    const resent = await deliver(waiting, now)
    return { windows, sent: sent + resent, failed: waiting.length - resent }
  }
}
