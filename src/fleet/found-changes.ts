import { findBundle, MAX_PENDING_NOTES } from './alert-bundles.ts'
import type { Change } from './alerts.ts'

export interface ChangeGroup {
  /** All that were found. */
  count: number
  /** The first of them, as many as a run can make use of. */
  changes: Change[]
}

/** The changes that a run found. What it holds is bounded, however many connections changed at once. */
export interface FoundChanges {
  /** Changes with an alert, by the alert for many that they would be part of. */
  createAlertDelivery: ReadonlyMap<string, ChangeGroup>
  /** Changes that only need a note. */
  silent: readonly Change[]
  count: number
}

/** Collects changes: of each group as many as can be remembered, of silent ones as many as the run can write. */
export function createFoundChanges(maxSilent: number) {
  const createAlertDelivery = new Map<string, ChangeGroup>()
  const silent: Change[] = []
  let count = 0
  return {
    add(change: Change): void {
      count++
      if (!change.alert) {
        if (!change.isNoted && silent.length < maxSilent) silent.push(change)
        return
      }
      const bundle = findBundle(change.alert)
      const group = createAlertDelivery.get(bundle) ?? { count: 0, changes: [] }
      group.count++
      if (group.changes.length < MAX_PENDING_NOTES) group.changes.push(change)
      createAlertDelivery.set(bundle, group)
    },
    found: (): FoundChanges => ({ createAlertDelivery, silent, count }),
  }
}
