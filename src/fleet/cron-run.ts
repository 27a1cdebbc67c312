import type { EpochMs, EpochSeconds } from '../broker/connection.ts'
import { DAY_SECONDS, toSeconds } from '../broker/timing.ts'
import type { IdleRefresh } from '../broker/tokens/refresh-idle.ts'
import { type AlertDeliveryDeps, type DeliveryCounts, deliverAlerts, writeNotifications } from './alert-delivery.ts'
import { addPending, planAlerts, toPendingMap } from './alert-plan.ts'
import { findChange } from './alerts.ts'
import { createFoundChanges, type FoundChanges } from './found-changes.ts'
import {
  CALLS_PER_REFRESH,
  findIdleRefreshReason,
  type IdleRefreshCounts,
  refreshIdleConnections,
} from './idle-refresh.ts'
import { firstPosition, type ScanPosition, scanIndex } from './index-scan.ts'
import type {
  AlertState,
  CronState,
  CronStateStore,
  FleetIndex,
  IndexedConnection,
  Outbox,
  PendingNotification,
  SendAlert,
} from './ports.ts'
import { createSoonestToExpire } from './soonest-to-expire.ts'
import { countUnfinished } from './unfinished-count.ts'

/** A run starts no refresh after this time. */
const RUN_MS = 60_000
/** Shares of the network calls of a run. The rest is for refreshes. */
const SCAN_SHARE = 0.4
const ALERT_SHARE = 0.3

/** What a run of the cron needs. */
export interface CronRunDeps {
  index: FleetIndex
  cronStateStore: CronStateStore
  /** `undefined`: alerts are not configured. */
  alerts: { outbox: Outbox; send: SendAlert } | undefined
  /** Refreshes a connection, unless it was refreshed since `notSince`. Never rejects. */
  refreshIdle(companyKey: string, notSince: EpochSeconds): Promise<IdleRefresh>
  now(): EpochMs
  /** The network calls that this run can make, and has made. */
  calls: { limit: number; used(): number }
  /** Idle connections are refreshed after so many days. 0 turns idle refreshes off. */
  idleRefreshDays: number
  /** The most refreshes of a run. */
  refreshes: number
}

/** What a run did, for the log. */
export interface RunReport {
  seen: number
  idle: number
  failing: number
  refreshed: number
  failed: number
  changes: number
  alerts_sent: number
  alerts_failed: number
}

/** One run of the cron. */
interface CronRun {
  deps: CronRunDeps
  startedAt: EpochMs
  now: EpochSeconds
  /** The state that the previous run saved. */
  state: CronState
  /** `undefined`: alerts are not configured. */
  alertsSince: EpochSeconds | undefined
  /** Notifications that their records do not have yet. */
  pending: Map<string, PendingNotification>
}

type SoonestToExpire = ReturnType<typeof createSoonestToExpire>

/** What the scan of a run found. */
interface ScanResult {
  position: ScanPosition
  seen: number
  changes: FoundChanges
  due: { idle: SoonestToExpire; failing: SoonestToExpire }
}

const NO_ALERTS: DeliveryCounts = { sent: 0, failed: 0 }

function initialCronState(): CronState {
  return {
    ...firstPosition(),
    alertsSince: undefined,
    windows: {},
    pendingAlerts: [],
    pendingNotifications: [],
  }
}

function callsLeft({ calls }: CronRunDeps): number {
  return calls.limit - calls.used()
}

function maxAlertCalls({ calls }: CronRunDeps): number {
  return Math.floor(calls.limit * ALERT_SHARE)
}

async function startRun(deps: CronRunDeps): Promise<CronRun> {
  const startedAt = deps.now()
  const now = toSeconds(startedAt)
  const state = (await deps.cronStateStore.load()) ?? initialCronState()
  const alertsSince = deps.alerts ? (state.alertsSince ?? now) : undefined
  return { deps, startedAt, now, state, alertsSince, pending: toPendingMap(state.pendingNotifications) }
}

/** Finds out whether a connection changed since the operator was last notified, and adds the change. */
function collectChange(
  { alertsSince, pending, now }: CronRun,
  changes: ReturnType<typeof createFoundChanges>,
  indexed: IndexedConnection,
): void {
  if (alertsSince === undefined) return
  const { companyKey } = indexed.connection
  // If the record has changed since, the pending notification is out of date.
  if (pending.get(companyKey)?.before !== indexed.lastNotified) pending.delete(companyKey)
  const notification = pending.get(companyKey)
  const change = findChange(indexed, now, { alertsSince, pending: notification?.after })
  if (!change) return
  if (notification && !change.alert) addPending(pending, change)
  else changes.add(change)
}

/** Continues the scan of the index. Collects what changed, and which connections are due for a refresh. */
async function scan(run: CronRun): Promise<ScanResult> {
  const { deps, now, state } = run
  const { index, calls, idleRefreshDays, refreshes } = deps
  const changes = createFoundChanges(maxAlertCalls(deps))
  const maxDue = Math.min(refreshes, Math.floor(callsLeft(deps) / CALLS_PER_REFRESH))
  const due = { idle: createSoonestToExpire(maxDue), failing: createSoonestToExpire(maxDue) }
  const maxPages = Math.floor(calls.limit * SCAN_SHARE)
  const end = calls.used() + maxPages
  let seen = 0
  const scanned = await scanIndex(index, state, { maxPages, now }, (indexed) => {
    seen++
    collectChange(run, changes, indexed)
    const reason = idleRefreshDays > 0 ? findIdleRefreshReason(indexed, now, idleRefreshDays) : undefined
    if (reason) due[reason].add(indexed)
  })
  // Connections come first: only what the scan left of its share is used to count unfinished records.
  const position = await countUnfinished(index, { before: state, after: scanned, now }, () => calls.used() < end)
  return { position, seen, changes: changes.found(), due }
}

/** Saves the cron state. Without `position`, the next run repeats the scan of this run. */
async function saveState({ deps, state, alertsSince }: CronRun, alertState: AlertState, position?: ScanPosition) {
  await deps.cronStateStore.save({ ...state, ...position, alertsSince, ...alertState })
}

/** Sends the alerts of what the scan found, and saves the state. */
async function sendAlerts(run: CronRun, { changes, position }: ScanResult): Promise<DeliveryCounts> {
  const { deps, now, state, pending } = run
  const { windows, pendingAlerts, completedScans } = state
  const before: AlertState = { windows, pendingAlerts, pendingNotifications: [...pending.values()] }
  if (!deps.alerts) {
    await saveState(run, before, position)
    return NO_ALERTS
  }
  const end = deps.calls.used() + maxAlertCalls(deps)
  const delivery: AlertDeliveryDeps = { index: deps.index, ...deps.alerts, callsLeft: () => end - deps.calls.used() }
  const plan = planAlerts(changes, before, { now, completedScans })
  // Saved before the delivery: if this run ends during it, the next one sends the same alerts with the same ids.
  if (plan.groupAlerts.length > 0) await saveState(run, plan.state)
  const { state: after, sent, failed } = await deliverAlerts(delivery, plan, now)
  const unwritten = toPendingMap(after.pendingNotifications)
  try {
    await writeNotifications(delivery, unwritten, changes.silent)
  } finally {
    await saveState(run, { ...after, pendingNotifications: [...unwritten.values()] }, position)
  }
  return { sent, failed }
}

/** Refreshes the connections that are due. */
function refreshDue({ deps, now, startedAt }: CronRun, { due }: ScanResult): Promise<IdleRefreshCounts> {
  const notSince = now - deps.idleRefreshDays * DAY_SECONDS
  return refreshIdleConnections((companyKey) => deps.refreshIdle(companyKey, notSince), {
    idle: due.idle.connections(),
    failing: due.failing.connections(),
    limit: deps.refreshes,
    callsLeft: () => callsLeft(deps),
    isOver: () => deps.now() - startedAt > RUN_MS,
  })
}

/**
 * Creates one run of the cron. It continues the scan of the fleet index, sends alerts, saves its position, and then
 * refreshes what is due. Each step has its share of the network calls, so that a run never reaches the limit of Workers
 * between Intuit's response and its store. The run throws `storage_unavailable`; the next one repeats what is missing.
 */
export function createCronRun(deps: CronRunDeps) {
  return async (): Promise<RunReport> => {
    const run = await startRun(deps)
    const result = await scan(run)
    const { seen, due, changes } = result
    const alerts = await sendAlerts(run, result)
    const refreshes = await refreshDue(run, result)
    return {
      ...{ seen, idle: due.idle.count(), failing: due.failing.count(), ...refreshes, changes: changes.count },
      ...{ alerts_sent: alerts.sent, alerts_failed: alerts.failed },
    }
  }
}
