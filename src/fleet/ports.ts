import type { Environment } from '../broker/company.ts'
import type { Connection, EpochSeconds, Holdings } from '../broker/connection.ts'
import type { Status } from '../broker/connection-status.ts'

/** A position in a shard of the fleet index, which sorts its connections by `diesAt` and `companyKey`. */
export interface Place {
  /** When the refresh token expires: the attribute `dies_at`. */
  diesAt: EpochSeconds
  companyKey: string
}

/** A connection as the fleet index has it: without tokens, and eventually consistent with the table. */
export interface IndexedConnection extends Holdings {
  connection: Connection
  place: Place
  /** When an unfinished record expires. DynamoDB can take days to delete it. */
  expiresAt: EpochSeconds | undefined
  /** The attribute `alerted`: the state of the connection that the operator was last notified of (`alerts.ts`). */
  lastNotified: string | undefined
}

/** A range of `dies_at`. Both ends are included. */
export interface ExpiryRange {
  from: EpochSeconds
  to: EpochSeconds
}

/** Which connections to return. The index applies what it can, so some results may not match. */
export interface IndexFilter {
  status: Status | undefined
  environment: Environment | undefined
  /** Company keys. A trailing `*` matches every key with that prefix. */
  companies: readonly string[] | undefined
  now: EpochSeconds
}

/** A page of a shard. */
export interface IndexPage {
  connections: IndexedConnection[]
  /**
   * Where the next page begins. `undefined`: this is the last page. It is DynamoDB's `LastEvaluatedKey`, because a page
   * can be short or empty without being the last one.
   */
  next: Place | undefined
}

/** The fleet index. Every call can throw `storage_unavailable`. */
export interface FleetIndex {
  shards: readonly string[]
  /** `dies_at` of records whose refresh token was erased. It is later than every expiry. */
  neverExpires: EpochSeconds
  /** `dies_at` of unfinished records. It is later than `neverExpires`. */
  unfinished: EpochSeconds
  /**
   * The next connections of a shard, soonest to expire first. `limit` also counts the connections that the filter
   * excludes.
   */
  page(
    shard: string,
    range: ExpiryRange,
    after: Place | undefined,
    limit: number,
    filter?: IndexFilter,
  ): Promise<IndexPage>
  /**
   * Counts unfinished records of a shard that have not expired, up to 1 MB of them, without reading them.
   * `next`: where the next count begins. `undefined`: the shard has no more.
   */
  countUnfinished(
    shard: string,
    after: Place | undefined,
    now: EpochSeconds,
  ): Promise<{ count: number; next: Place | undefined }>
  /** Changes the attribute `alerted` from `before` to `after`. Does nothing if another run has changed it. */
  setLastNotified(companyKey: string, before: string | undefined, after: string): Promise<void>
}

/** Number of connections by status. */
export type Counts = Record<Status, number>

/** The counts of the last complete scan of the index. */
export interface FleetSummary {
  counts: Counts
  countedAt: EpochSeconds
}

/** The alerts of one group within an hour. */
export interface AlertWindow {
  since: EpochSeconds
  /** Alerts since then. */
  count: number
  /**
   * Set if a group alert was sent: the number of complete scans at that time. It is raised when a scan finds a
   * connection of the group that does not fit into `pendingNotifications`.
   */
  scan?: number | undefined
}

/** The current window of each alert group. */
export type AlertWindows = Record<string, AlertWindow>

/** A connection whose change the operator was notified of, and whose record does not have that yet. */
export interface PendingNotification {
  companyKey: string
  /** The current value of the attribute `alerted`. */
  before: string | undefined
  /** The value to write. */
  after: string
}

/** The part of the cron state that alerts use. */
export interface AlertState {
  windows: AlertWindows
  /** Group alerts that may not be in the outbox yet. */
  pendingAlerts: readonly Alert[]
  pendingNotifications: readonly PendingNotification[]
}

/** A shard whose unfinished records behind `after` no scan has read. */
export interface UnfinishedRest {
  shard: string
  after: Place | undefined
}

/** The count of the unfinished records that no scan reads. */
export interface UnfinishedCount {
  /** What is left to count. */
  left: readonly UnfinishedRest[]
  /** Counted so far. */
  count: number
  /** The last complete count. */
  total: number
}

/** What a run of the cron stores for the next one. */
export interface CronState extends AlertState {
  /** Number of complete scans of the index. */
  completedScans: number
  /** The position in `index.shards` where the next run continues. */
  shard: number
  after: Place | undefined
  /** Counts of the scan in progress. */
  counts: Counts
  /** Counts of the last complete scan. */
  summary: FleetSummary | undefined
  /** The shards of the scan in progress that have more unfinished records than the scan read. */
  rest: readonly UnfinishedRest[]
  unfinished: UnfinishedCount
  /** When alerts were first configured. Earlier changes cause no alert. */
  alertsSince: EpochSeconds | undefined
}

/** Where the cron state is stored. Every call can throw `storage_unavailable`. */
export interface CronStateStore {
  load(): Promise<CronState | undefined>
  save(state: CronState): Promise<void>
}

/** A message to the operator. It contains no token, code, state, key or secret. */
export interface Alert {
  /** Identifies the change, so that a receiver can discard a duplicate. */
  id: string
  type: string
  at: EpochSeconds
  data: Record<string, unknown>
}

/** An alert in the outbox. */
export interface WaitingAlert {
  alert: Alert
  /** Number of failed deliveries. */
  attempts: number
  /** When the alert was stored. */
  since: EpochSeconds
}

/** Stores alerts until they are delivered. Every call can throw `storage_unavailable`. */
export interface Outbox {
  /**
   * Stores an alert until it is delivered, or for three days. From `nextAttemptAt` on, another run can deliver it, in
   * case this run ends before it does.
   */
  put(alert: Alert, now: EpochSeconds, nextAttemptAt: EpochSeconds): Promise<void>
  /** The alerts whose next attempt is due, the earliest first. Makes three queries at most. */
  findDue(now: EpochSeconds, limit: number): Promise<WaitingAlert[]>
  /** Removes an alert that was delivered. */
  remove(id: string): Promise<void>
  postpone(id: string, attempts: number, nextAttemptAt: EpochSeconds): Promise<void>
}

/** Sends an alert. Resolves to `false` if it was not accepted, for whatever reason. Never rejects. */
export type SendAlert = (alert: Alert) => Promise<boolean>
