import { findAlertGroup, MAX_PENDING_NOTIFICATIONS } from './alert-plan.ts'
import type { Change } from './alerts.ts'

/** The changes of one alert group. */
export interface ChangeGroup {
  /** Number of all changes that were found. */
  count: number
  /** The first changes, as many as a run can use. */
  changes: Change[]
}

/** The changes that a run found. Its size is bounded, however many connections changed. */
export interface FoundChanges {
  /** Changes with an alert, by alert group. */
  groups: ReadonlyMap<string, ChangeGroup>
  /** Changes that are recorded without an alert. */
  silent: readonly Change[]
  /** Number of all changes. */
  count: number
}

/** Collects changes. `maxSilent` is the number of silent changes that a run can write. */
export function createFoundChanges(maxSilent: number) {
  const groups = new Map<string, ChangeGroup>()
  const silent: Change[] = []
  let count = 0
  return {
    add(change: Change): void {
      count++
      if (!change.alert) {
        if (!change.isRecorded && silent.length < maxSilent) silent.push(change)
        return
      }
      const name = findAlertGroup(change.alert)
      const group = groups.get(name) ?? { count: 0, changes: [] }
      group.count++
      if (group.changes.length < MAX_PENDING_NOTIFICATIONS) group.changes.push(change)
      groups.set(name, group)
    },
    found: (): FoundChanges => ({ groups, silent, count }),
  }
}
