import { type Alerted, type AlertingPorts, alerting } from './alerting.ts'
import { type Change, changeOf } from './alerts.ts'
import type { EpochMs } from './connection.ts'
import type { FleetIndex, Outbox, Round, RoundStore, SendAlert, Sighting } from './fleet-ports.ts'
import { isDue, keepingAlive } from './keep-alive.ts'
import { noCounts, sweeping } from './sweep.ts'
import type { IdleRefresh } from './tokens.ts'

const DAY_SECONDS = 24 * 3600
/** No new refresh begins later in a run. */
const RUN_MS = 60_000
/** Of the calls of a run, what looking and what telling may take at most. The rest is for refreshing. */
const LOOKING = 0.4
const TELLING = 0.3

export interface FleetRunPorts {
  index: FleetIndex
  rounds: RoundStore
  /** `undefined`: nobody wants to hear of anything. */
  alerts: { outbox: Outbox; send: SendAlert } | undefined
  /** Refreshes a connection that was not refreshed since `notSince`. Never rejects. */
  refreshIdle(companyKey: string, notSince: number): Promise<IdleRefresh>
  now(): EpochMs
  /** What this run may send over the network, and has sent. */
  calls: { limit: number; used(): number }
  /** 0: nothing is kept alive. */
  keepAliveDays: number
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

function firstRound(): Round {
  return {
    shard: 0,
    after: undefined,
    counts: noCounts(),
    summary: undefined,
    alertsSince: undefined,
    windows: {},
    plantedOn: 0,
  }
}

/**
 * One run of the cron: goes on with the round over the fleet index, tells the operator what changed, keeps the place,
 * then refreshes what is due of what it saw. Each part has its share of the run's calls, so that Workers' limit is never
 * met between Intuit's answer and its storing. Throws `storage_unavailable`: the next run does what this one did not.
 */
export function fleetRun(ports: FleetRunPorts) {
  const { index, rounds, alerts, refreshIdle, now, calls, keepAliveDays, refreshes } = ports
  const sweep = sweeping(index)
  const callsLeft = () => calls.limit - calls.used()

  const tell = async (changes: Change[], round: Round, nowSeconds: number): Promise<Alerted> => {
    if (!alerts) return { windows: round.windows, sent: 0, failed: 0 }
    const end = calls.used() + Math.floor(calls.limit * TELLING)
    const parts: AlertingPorts = { index, ...alerts, callsLeft: () => end - calls.used() }
    return alerting(parts)(changes, round.windows, nowSeconds)
  }

  return async (): Promise<RunReport> => {
    const startedAt = now()
    const nowSeconds = Math.floor(startedAt / 1000)
    const today = Math.floor(nowSeconds / DAY_SECONDS)
    const round = (await rounds.load()) ?? firstRound()
    const alertsSince = alerts ? (round.alertsSince ?? nowSeconds) : undefined
    const changes: Change[] = []
    const due: { idle: Sighting[]; failing: Sighting[] } = { idle: [], failing: [] }
    let seen = 0
    const swept = await sweep(round, Math.floor(calls.limit * LOOKING), nowSeconds, (sighting) => {
      seen++
      const change = alertsSince === undefined ? undefined : changeOf(sighting, nowSeconds, alertsSince)
      if (change) changes.push(change)
      const why = keepAliveDays > 0 ? isDue(sighting, nowSeconds, keepAliveDays) : undefined
      if (why) due[why].push(sighting)
    })
    const told = await tell(changes, round, nowSeconds)
    if (round.plantedOn !== today) await rounds.plant(nowSeconds)
    await rounds.save({ ...swept, alertsSince, windows: told.windows, plantedOn: today })
    const [idle, failing] = [due.idle.length, due.failing.length]
    const kept = await keepingAlive((companyKey) => refreshIdle(companyKey, nowSeconds - keepAliveDays * DAY_SECONDS))(
      due.idle,
      due.failing,
      { refreshes, callsLeft, isOver: () => now() - startedAt > RUN_MS },
    )
    return { seen, idle, failing, ...kept, changes: changes.length, alerts_sent: told.sent, alerts_failed: told.failed }
  }
}
