import type { EpochSeconds } from '../broker/connection.ts'
import type { AlertKind, Change } from './alerts.ts'
import type { FoundChanges } from './found-changes.ts'
import type { Alert, AlertState, AlertWindow, AlertWindows, PendingNote } from './ports.ts'

/** As many alerts of a kind are told one by one within an hour; more are one alert for them all. */
const ONE_BY_ONE = 10
const WINDOW_SECONDS = 3600
/** Company keys that an alert for many names. */
const NAMED = 20
/** Pending notes that the state may hold: with the longest keys some 150 KB of the 400 KB of an item. */
export const MAX_PENDING_NOTES = 1000

/** Those that go wrong together, in whichever way. */
const BUNDLE: Record<AlertKind, string> = {
  failing: 'failing',
  reconnect_required: 'failing',
  recovered: 'recovered',
  connected: 'connected',
  expiring: 'expiring',
  disconnected: 'disconnected',
}

export function findBundle({ kind }: { kind: AlertKind }): string {
  return BUNDLE[kind]
}

/** The time, and the number of whole rounds over the index so far. */
export interface Moment {
  now: EpochSeconds
  rounds: number
}

/** The windows with so many more alerts of a kind. One that is over begins anew. */
export function addToWindow(windows: AlertWindows, bundle: string, more: number, now: EpochSeconds): AlertWindows {
  const { since, count } = windows[bundle] ?? { since: now, count: 0 }
  return {
    ...windows,
    [bundle]: now - since < WINDOW_SECONDS ? { since, count: count + more } : { since: now, count: more },
  }
}

/**
 * Whether an alert for many still covers what is found. It covers an hour, and all that a whole round over the index
 * finds after it, so that a connection that is seen late is not told a second time.
 */
function isOpen({ since, round }: AlertWindow, { now, rounds }: Moment) {
  return round !== undefined && (now - since < WINDOW_SECONDS || rounds <= round + 1)
}

function toBundledAlert(bundle: string, count: number, changes: readonly Change[], now: EpochSeconds): Alert {
  return {
    id: `msg_many_${bundle}_${now}`,
    type: `connections.${bundle}`,
    at: now,
    data: { count, company_keys: changes.slice(0, NAMED).map(({ companyKey }) => companyKey) },
  }
}

/** Adds what was told in an alert for many to the notes to write, as far as there is room. `false`: there was none. */
export function addNote(notes: Map<string, PendingNote>, { companyKey, before, told, isNoted }: Change): boolean {
  if (isNoted) {
    notes.delete(companyKey)
    return true
  }
  if (!notes.has(companyKey) && notes.size >= MAX_PENDING_NOTES) return false
  notes.set(companyKey, { companyKey, before, told })
  return true
}

export interface AlertPlan {
  /** One for each kind that comes in numbers, unless one that was sent covers it. */
  many: Alert[]
  oneByOne: Change[]
  /** What was told in alerts for many is in its notes. Alerts that are told one by one are counted as they are told. */
  state: AlertState
}

/** Divides what is told one by one from what comes in numbers. */
export function planAlerts(found: FoundChanges, before: AlertState, moment: Moment): AlertPlan {
  const { now, rounds } = moment
  const notes = new Map(before.pendingNotes.map((note) => [note.companyKey, note]))
  const many: Alert[] = []
  const oneByOne: Change[] = []
  const windows = { ...before.windows }
  for (const [bundle, { count, changes }] of found.createAlertDelivery) {
    const window = windows[bundle] ?? { since: now, count: 0 }
    const open = isOpen(window, moment)
    const earlier = open || now - window.since < WINDOW_SECONDS ? window.count : 0
    if (!open && earlier + count <= ONE_BY_ONE) {
      oneByOne.push(...changes)
      continue
    }
    if (!open) many.push(toBundledAlert(bundle, count, changes, now))
    const remembered = changes.filter((change) => addNote(notes, change)).length
    windows[bundle] = {
      since: open ? window.since : now,
      count: earlier + count,
      round: open && remembered === count ? window.round : rounds,
    }
  }
  const pendingAlerts = [...before.pendingAlerts, ...many]
  return { many, oneByOne, state: { windows, pendingAlerts, pendingNotes: [...notes.values()] } }
}
