import type { EpochSeconds } from '../broker/connection.ts'
import type { AlertKind, Change } from './alerts.ts'
import type { FoundChanges } from './found-changes.ts'
import type { Alert, AlertState, AlertWindow, AlertWindows, PendingNotification } from './ports.ts'

/** More alerts of a group within an hour become one group alert. */
const MAX_SINGLE_ALERTS = 10
const WINDOW_SECONDS = 3600
/** Company keys that a group alert lists. */
const MAX_LISTED_KEYS = 20
/** Bounds the stored cron state: with the longest keys about 150 KB of the 400 KB that an item can have. */
export const MAX_PENDING_NOTIFICATIONS = 1000

/** The group of each kind of alert. Kinds with one cause share a group. */
const GROUPS: Record<AlertKind, string> = {
  failing: 'failing',
  reconnect_required: 'failing',
  recovered: 'recovered',
  connected: 'connected',
  expiring: 'expiring',
  disconnected: 'disconnected',
}

/** The group of an alert. */
export function findAlertGroup({ kind }: { kind: AlertKind }): string {
  return GROUPS[kind]
}

/** The time of a run, and the number of complete scans of the index before it. */
export interface RunTime {
  now: EpochSeconds
  completedScans: number
}

/** Counts `more` alerts of a group in its window. Starts a new window if the old one is over. */
export function addToWindow(windows: AlertWindows, group: string, more: number, now: EpochSeconds): AlertWindows {
  const { since, count } = windows[group] ?? { since: now, count: 0 }
  return {
    ...windows,
    [group]: now - since < WINDOW_SECONDS ? { since, count: count + more } : { since: now, count: more },
  }
}

/**
 * Whether a group alert that was sent also covers what this run finds. It covers one hour, and after that one complete
 * scan, so that a connection which a slow scan finds late causes no second alert.
 */
function isCovered({ since, scan }: AlertWindow, { now, completedScans }: RunTime) {
  return scan !== undefined && (now - since < WINDOW_SECONDS || completedScans <= scan + 1)
}

function toGroupAlert(group: string, count: number, changes: readonly Change[], now: EpochSeconds): Alert {
  return {
    id: `msg_many_${group}_${now}`,
    type: `connections.${group}`,
    at: now,
    data: { count, company_keys: changes.slice(0, MAX_LISTED_KEYS).map(({ companyKey }) => companyKey) },
  }
}

/** The pending notifications by company key. */
export function toPendingMap(pending: readonly PendingNotification[]): Map<string, PendingNotification> {
  return new Map(pending.map((one) => [one.companyKey, one]))
}

/** Adds a change to the pending notifications, or removes a change that is recorded. `false`: there is no room. */
export function addPending(
  pending: Map<string, PendingNotification>,
  { companyKey, before, after, isRecorded }: Change,
): boolean {
  if (isRecorded) {
    pending.delete(companyKey)
    return true
  }
  if (!pending.has(companyKey) && pending.size >= MAX_PENDING_NOTIFICATIONS) return false
  pending.set(companyKey, { companyKey, before, after })
  return true
}

/** Which alerts a run sends. */
export interface AlertPlan {
  /** New group alerts. */
  groupAlerts: Alert[]
  /** Changes with an alert of their own. */
  singleChanges: Change[]
  /** The state with the group alerts. Single alerts are counted when they are stored in the outbox. */
  state: AlertState
}

/** Decides which changes get an alert of their own, and which a group alert. */
export function planAlerts(found: FoundChanges, before: AlertState, time: RunTime): AlertPlan {
  const { now, completedScans } = time
  const pending = toPendingMap(before.pendingNotifications)
  const groupAlerts: Alert[] = []
  const singleChanges: Change[] = []
  const windows = { ...before.windows }
  for (const [group, { count, changes }] of found.groups) {
    const window = windows[group] ?? { since: now, count: 0 }
    const covered = isCovered(window, time)
    const earlier = covered || now - window.since < WINDOW_SECONDS ? window.count : 0
    if (!covered && earlier + count <= MAX_SINGLE_ALERTS) {
      singleChanges.push(...changes)
      continue
    }
    if (!covered) groupAlerts.push(toGroupAlert(group, count, changes, now))
    const added = changes.filter((change) => addPending(pending, change)).length
    windows[group] = {
      since: covered ? window.since : now,
      count: earlier + count,
      scan: covered && added === count ? window.scan : completedScans,
    }
  }
  const pendingAlerts = [...before.pendingAlerts, ...groupAlerts]
  const state = { windows, pendingAlerts, pendingNotifications: [...pending.values()] }
  return { groupAlerts, singleChanges, state }
}
