import type { EpochMs } from '../broker/connection.ts'
import type { IdleRefresh } from '../broker/tokens/get-token.ts'
import { addNote, planAlerts } from './alert-bundles.ts'
import { type Announced, createAlerting } from './alert-delivery.ts'
import { findChange } from './alerts.ts'
import { createFoundChanges, type FoundChanges } from './found-changes.ts'
import { CALLS_A_REFRESH, createIdleRefresh, isDue } from './idle-refresh.ts'
import { createIndexScan, noCounts } from './index-scan.ts'
import type {
  AlertState,
  CronState,
  CronStateStore,
  FleetIndex,
  IndexedConnection,
  Outbox,
  PendingNote,
  SendAlert,
} from './ports.ts'
import { createSoonest } from './soonest-to-expire.ts'

const DAY_SECONDS = 24 * 3600
/** No new refresh begins later in a run. */
const RUN_MS = 60_000
/** Of the calls of a run, what looking and what telling may take at most. The rest is for refreshing. */
const LOOKING = 0.4
const TELLING = 0.3

export interface CronRunDeps {
  index: FleetIndex
  rounds: CronStateStore
  /** `undefined`: nobody wants to hear of anything. */
  alerts: { outbox: Outbox; send: SendAlert } | undefined
  /** Refreshes a connection that was not refreshed since `notSince`. Never rejects. */
  refreshIdle(companyKey: string, notSince: number): Promise<IdleRefresh>
  now(): EpochMs
  /** What this run may send over the network, and has sent. */
  calls: { limit: number; used(): number }
  /** 0: nothing is kept alive. */
  idleRefreshDays: number
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

function initialCronState(): CronState {
  return {
    rounds: 0,
    shard: 0,
    after: undefined,
    counts: noCounts(),
    summary: undefined,
    alertsSince: undefined,
    windows: {},
    pendingAlerts: [],
    pendingNotes: [],
  }
}

/** Finds what changed, of one connection after the other. */
function createChangeFinder(notes: Map<string, PendingNote>, alertsSince: number | undefined, maxSilent: number) {
  const changes = createFoundChanges(maxSilent)
  return {
    look(indexed: IndexedConnection, now: number): void {
      if (alertsSince === undefined) return
      const { companyKey } = indexed.connection
      let note = notes.get(companyKey)
      if (note && note.before !== indexed.lastNotified) {
        // The record was noted meanwhile: it knows better.
        notes.delete(companyKey)
        note = undefined
      }
      const change = findChange(indexed, now, { alertsSince, pending: note?.told })
      if (!change) return
      if (note && !change.alert) addNote(notes, change)
      else changes.add(change)
    },
    found: (): FoundChanges => changes.found(),
  }
}

/**
 * One run of the cron: goes on with the round over the fleet index, tells the operator what changed, keeps the place,
 * then refreshes what is due of what it saw. Each part has its share of the run's calls, so that Workers' limit is never
 * met between Intuit's answer and its storing. Throws `storage_unavailable`: the next run does what this one did not.
 */
export function createCronRun(ports: CronRunDeps) {
  const { index, rounds, alerts, refreshIdle, now, calls, idleRefreshDays, refreshes } = ports
  const scanIndex = createIndexScan(index)
  const callsLeft = () => calls.limit - calls.used()
  const maxTelling = Math.floor(calls.limit * TELLING)

  /** Tells what was found, and saves the round with `save`. */
  const tell = async (
    found: FoundChanges,
    before: AlertState,
    moment: { now: number; rounds: number },
    save: { asBefore(state: AlertState): Promise<void>; whole(state: AlertState): Promise<void> },
  ): Promise<Pick<Announced, 'sent' | 'failed'>> => {
    if (!alerts) {
      await save.whole(before)
      return { sent: 0, failed: 0 }
    }
    const end = calls.used() + maxTelling
    const { announce, writeNotes } = createAlerting({ index, ...alerts, callsLeft: () => end - calls.used() })
    const plan = planAlerts(found, before, moment)
    // Before anybody is told: a run that ends after it sends the same alerts, by the same ids.
    if (plan.many.length > 0) await save.asBefore(plan.state)
    const { state, sent, failed } = await announce(plan, moment.now)
    const notes = new Map(state.pendingNotes.map((note) => [note.companyKey, note]))
    try {
      await writeNotes(notes, found.silent)
    } finally {
      await save.whole({ ...state, pendingNotes: [...notes.values()] })
    }
    return { sent, failed }
  }

  return async (): Promise<RunReport> => {
    const startedAt = now()
    const nowSeconds = Math.floor(startedAt / 1000)
    const round = (await rounds.load()) ?? initialCronState()
    const alertsSince = alerts ? (round.alertsSince ?? nowSeconds) : undefined
    const notes = new Map(round.pendingNotes.map((note) => [note.companyKey, note]))
    const changes = createChangeFinder(notes, alertsSince, maxTelling)
    const mostRefreshes = Math.min(refreshes, Math.floor(callsLeft() / CALLS_A_REFRESH))
    const due = { idle: createSoonest(mostRefreshes), failing: createSoonest(mostRefreshes) }
    let seen = 0
    const position = await scanIndex(round, Math.floor(calls.limit * LOOKING), nowSeconds, (indexed) => {
      seen++
      changes.look(indexed, nowSeconds)
      const why = idleRefreshDays > 0 ? isDue(indexed, nowSeconds, idleRefreshDays) : undefined
      if (why) due[why].add(indexed)
    })
    const found = changes.found()
    const { windows, pendingAlerts } = round
    const told = await tell(
      found,
      { windows, pendingAlerts, pendingNotes: [...notes.values()] },
      { now: nowSeconds, rounds: round.rounds },
      {
        asBefore: (state) => rounds.save({ ...round, alertsSince, ...state }),
        whole: (state) => rounds.save({ ...round, ...position, alertsSince, ...state }),
      },
    )
    const kept = await createIdleRefresh((companyKey) =>
      refreshIdle(companyKey, nowSeconds - idleRefreshDays * DAY_SECONDS),
    )(due.idle.kept(), due.failing.kept(), { refreshes, callsLeft, isOver: () => now() - startedAt > RUN_MS })
    return {
      ...{ seen, idle: due.idle.count(), failing: due.failing.count(), ...kept, changes: found.count },
      ...{ alerts_sent: told.sent, alerts_failed: told.failed },
    }
  }
}
