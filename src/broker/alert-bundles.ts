import type { AlertKind, Change } from './alerts.ts'
import type { EpochSeconds } from './connection.ts'
import type { Alert, AlertWindows } from './fleet-ports.ts'

/** As many alerts of a kind are told one by one within an hour; more are one alert for them all. */
const ONE_BY_ONE = 10
const WINDOW_SECONDS = 3600
/** Company keys that an alert for many names. */
const NAMED = 20

/** Those that go wrong together, in whichever way. */
const BUNDLE: Record<AlertKind, string> = {
  failing: 'failing',
  reconnect_required: 'failing',
  recovered: 'recovered',
  connected: 'connected',
  expiring: 'expiring',
  disconnected: 'disconnected',
}

/** The windows with so many more alerts of a kind. One that is over begins anew. */
export function counted(windows: AlertWindows, bundle: string, more: number, now: EpochSeconds): AlertWindows {
  const { since, count } = windows[bundle] ?? { since: now, count: 0 }
  return {
    ...windows,
    [bundle]: now - since < WINDOW_SECONDS ? { since, count: count + more } : { since: now, count: more },
  }
}

export function bundleOf({ kind }: { kind: AlertKind }): string {
  return BUNDLE[kind]
}

function manyOf(bundle: string, alerts: Change['alerts'], now: EpochSeconds): Alert {
  return {
    id: `msg_many_${bundle}_${now}`,
    type: `connections.${bundle}`,
    at: now,
    data: { count: alerts.length, company_keys: alerts.slice(0, NAMED).map(({ data }) => data['company_key']) },
  }
}

export interface Bundled {
  /** One for each kind that comes in numbers, unless there was one within the hour. */
  many: Alert[]
  /** The changes, with those alerts that are still told one by one. */
  changes: Change[]
  /** Those who are many are counted, the others as they are told. */
  windows: AlertWindows
}

/** Parts what is told one by one from what comes in numbers. `windows` says how many of a kind were told within the hour. */
export function bundled(changes: readonly Change[], before: AlertWindows, now: EpochSeconds): Bundled {
  const many: Alert[] = []
  const folded = new Set<string>()
  let windows = before
  for (const [bundle, alerts] of Map.groupBy(
    changes.flatMap((change) => change.alerts),
    bundleOf,
  )) {
    const after = counted(windows, bundle, alerts.length, now)
    const total = after[bundle]?.count ?? 0
    if (total <= ONE_BY_ONE) continue
    windows = after
    folded.add(bundle)
    if (total - alerts.length <= ONE_BY_ONE) many.push(manyOf(bundle, alerts, now))
  }
  const oneByOne = changes.map((change) => ({
    ...change,
    alerts: change.alerts.filter((alert) => !folded.has(bundleOf(alert))),
  }))
  return { many, changes: oneByOne, windows }
}
