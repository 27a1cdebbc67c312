import type { EpochSeconds } from '../broker/connection.ts'
import { type AlertPlan, addToWindow, findBundle } from './alert-bundles.ts'
import type { Change } from './alerts.ts'
import type { Alert, AlertState, FleetIndex, Outbox, PendingNote, SendAlert, Waiting } from './ports.ts'

const MINUTE = 60
/** After the first attempt in vain, doubled up to the longest. The outbox keeps an alert for three days. */
const FIRST_PAUSE = 5 * MINUTE
const LONGEST_PAUSE = 6 * 3600
/** Alerts of earlier runs that are sent again in one. */
const RESENT = 10
/** What an alert takes: put or get, send, delete. */
const CALLS_AN_ALERT = 3
/** What sending takes, once the alert is in the outbox: send, delete or postpone. */
const CALLS_A_SENDING = 2
/** What looking for alerts that wait takes at the most. */
const CALLS_LOOKING = 3

export interface AlertingDeps {
  index: FleetIndex
  outbox: Outbox
  send: SendAlert
  /** Calls that this run may still make for alerts. */
  callsLeft(): number
}

export interface Announced {
  state: AlertState
  sent: number
  failed: number
}

type Addressed = Pick<Waiting, 'alert' | 'attempts'>

/** Puts alerts into the outbox, notes them on the record and sends them, in this order, so that none is lost. */
export function createAlerting({ index, outbox, send, callsLeft }: AlertingDeps) {
  // Due in a minute, so that a run that ends here leaves it to the next.
  const put = (alert: Alert, now: EpochSeconds) => outbox.put(alert, now, now + MINUTE)

  const putMany = async (alerts: readonly Alert[], now: EpochSeconds) => {
    const fitting = alerts.slice(0, Math.max(0, Math.floor(callsLeft() / CALLS_AN_ALERT)))
    for (const alert of fitting) await put(alert, now)
    return { announced: fitting, pendingAlerts: alerts.slice(fitting.length) }
  }

  /** A change that does not fit into the calls of this run is found again in the next round, as nothing is noted of it. */
  const announceOne = async (
    { companyKey, before, told, isNoted, alert }: Change,
    queued: number,
    now: EpochSeconds,
  ) => {
    if (!alert || callsLeft() < 2 + CALLS_A_SENDING * (queued + 1)) return undefined
    await put(alert, now)
    if (!isNoted) await index.setLastNotified(companyKey, before, told)
    const { id, type, at, data } = alert
    return { id, type, at, data }
  }

  /** Stops at the first alert that is not taken: an endpoint that takes none now takes no other either. */
  const deliver = async (alerts: readonly Addressed[], now: EpochSeconds) => {
    for (const [sent, { alert, attempts }] of alerts.entries()) {
      // What does not fit stays in the outbox.
      if (callsLeft() < CALLS_A_SENDING) return { sent, failed: 0 }
      if (await send(alert)) {
        await outbox.delivered(alert.id)
        continue
      }
      const pause = Math.min(FIRST_PAUSE * 2 ** attempts, LONGEST_PAUSE)
      await outbox.postpone(alert.id, attempts + 1, now + pause)
      return { sent, failed: alerts.length - sent }
    }
    return { sent: alerts.length, failed: 0 }
  }

  const resend = async (now: EpochSeconds) => {
    const room = Math.min(RESENT, Math.floor((callsLeft() - CALLS_LOOKING) / CALLS_AN_ALERT))
    return room < 1 ? { sent: 0, failed: 0 } : deliver(await outbox.due(now, room), now)
  }

  return {
    /** Sends what is new, then what waits from earlier runs. The plan's state must be saved before. */
    announce: async ({ oneByOne, state }: AlertPlan, now: EpochSeconds): Promise<Announced> => {
      const notes = new Map(state.pendingNotes.map((note) => [note.companyKey, note]))
      const { announced: many, pendingAlerts } = await putMany(state.pendingAlerts, now)
      const announced = [...many]
      let { windows } = state
      for (const change of oneByOne) {
        const alert = await announceOne(change, announced.length, now)
        if (!alert || !change.alert) break
        announced.push(alert)
        notes.delete(change.companyKey)
        windows = addToWindow(windows, findBundle(change.alert), 1, now)
      }
      const fresh = await deliver(
        announced.map((alert) => ({ alert, attempts: 0 })),
        now,
      )
      const again = fresh.failed > 0 ? { sent: 0, failed: 0 } : await resend(now)
      return {
        state: { windows, pendingAlerts, pendingNotes: [...notes.values()] },
        sent: fresh.sent + again.sent,
        failed: fresh.failed + again.failed,
      }
    },

    /** Writes as many notes as the calls of this run allow. Removes each from `pending` as it is written. */
    writeNotes: async (pending: Map<string, PendingNote>, silent: readonly Change[]): Promise<void> => {
      for (const { companyKey, before, told } of [...pending.values(), ...silent]) {
        if (callsLeft() < 1) return
        await index.setLastNotified(companyKey, before, told)
        pending.delete(companyKey)
      }
    },
  }
}
