import type { Environment } from '../broker/company.ts'
import type { Connection, EpochSeconds, Holdings } from '../broker/connection.ts'
import type { Status } from '../broker/connection-status.ts'

/** A place in the order in which a shard of the fleet index lists its connections. */
export interface Place {
  diesAt: EpochSeconds
  companyKey: string
}

/** What the fleet index shows of a connection. It holds no token, and is some moments behind the table. */
export interface IndexedConnection extends Holdings {
  connection: Connection
  place: Place
  /** When an unfinished record ends; DynamoDB deletes it only within days. */
  expiresAt: EpochSeconds | undefined
  /** What the operator was last told of it (`alerts.ts`). */
  lastNotified: string | undefined
}

/** `dies_at` from and to, both included. */
export interface ExpiryRange {
  from: EpochSeconds
  to: EpochSeconds
}

/** Which connections a reader wants. The index may pass over others, and may still show some of them. */
export interface IndexFilter {
  status: Status | undefined
  environment: Environment | undefined
  /** Company keys; one that ends with `*` stands for all that begin so. */
  companies: readonly string[] | undefined
  now: EpochSeconds
}

export interface IndexPage {
  connections: IndexedConnection[]
  /**
   * Where the next page begins; `undefined` after the last one. It comes from DynamoDB's `LastEvaluatedKey`, as a page
   * may be short or empty and not be the last.
   */
  next: Place | undefined
}

/** What the broker needs of the fleet index. Every call may throw `storage_unavailable`. */
export interface FleetIndex {
  shards: readonly string[]
  /** Beyond every death: where records stand that hold no refresh token. */
  neverExpires: EpochSeconds
  /** The next connections of a shard, soonest to expire first. `limit` counts those that the filter passes over as well. */
  page(
    shard: string,
    range: ExpiryRange,
    after: Place | undefined,
    limit: number,
    filter?: IndexFilter,
  ): Promise<IndexPage>
  /** Notes on the record what the operator was told, unless another run has noted something meanwhile. */
  setLastNotified(companyKey: string, before: string | undefined, told: string): Promise<void>
}

export type Counts = Record<Status, number>

/** Connections by status, as a whole round over the index found them. */
export interface FleetSummary {
  counts: Counts
  countedAt: EpochSeconds
}

export interface AlertWindow {
  since: EpochSeconds
  /** Alerts since then. */
  count: number
  /**
   * Set where one alert for many was sent: the round in which the last of its connections was found that could not be
   * remembered, or in which it was sent.
   */
  round?: number | undefined
}

/** How many alerts of a kind there were since the window began. */
export type AlertWindows = Record<string, AlertWindow>

/** A connection of which the operator was told, and whose record does not say so yet. */
export interface PendingNote {
  companyKey: string
  /** What the record says now. */
  before: string | undefined
  told: string
}

/** What the cron keeps of alerts between its runs. */
export interface AlertState {
  windows: AlertWindows
  /** Alerts for many that may not be in the outbox yet. */
  pendingAlerts: readonly Alert[]
  pendingNotes: readonly PendingNote[]
}

/** What one run of the cron leaves for the next. */
export interface CronState extends AlertState {
  /** Whole rounds so far. */
  rounds: number
  /** Where to go on; a round begins at the first shard. */
  shard: number
  after: Place | undefined
  /** Of the round that is under way. */
  counts: Counts
  /** Of the last whole round. */
  summary: FleetSummary | undefined
  /** When alerts were first configured: what is older is no news. */
  alertsSince: EpochSeconds | undefined
}

export interface CronStateStore {
  load(): Promise<CronState | undefined>
  save(round: CronState): Promise<void>
}

/** A message for the operator. Holds no token, code, state, key or secret. */
export interface Alert {
  /** The same for the same change, so that whoever gets it twice can tell. */
  id: string
  type: string
  at: EpochSeconds
  data: Record<string, unknown>
}

export interface Waiting {
  alert: Alert
  /** How often it was sent in vain. */
  attempts: number
  /** When it was put. */
  since: EpochSeconds
}

/** Alerts on their way. */
export interface Outbox {
  /** Keeps an alert until it is delivered, or for days. `nextAttemptAt`: for another run, should this one end. */
  put(alert: Alert, now: EpochSeconds, nextAttemptAt: EpochSeconds): Promise<void>
  /** Those whose next attempt is due, longest due first. Asks the index three times at the most. */
  due(now: EpochSeconds, limit: number): Promise<Waiting[]>
  delivered(id: string): Promise<void>
  postpone(id: string, attempts: number, nextAttemptAt: EpochSeconds): Promise<void>
}

/** Sends an alert. `false`: it was not taken, whatever the reason. */
export type SendAlert = (alert: Alert) => Promise<boolean>
