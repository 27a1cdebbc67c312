/** Who owns the order of steps: fast-check's scheduler, or `inOrder`. */
export interface Scheduler {
  schedule(task: Promise<void>, label?: string): Promise<void>
  count(): number
  waitOne(): Promise<void>
}

/** One step after the other, as they come. */
export const inOrder = (): Scheduler => {
  const waiting: (() => void)[] = []
  return {
    schedule: () => new Promise((resolve) => waiting.push(resolve)),
    count: () => waiting.length,
    waitOne: async () => waiting.shift()?.(),
  }
}

interface Sleeper {
  wakeAt: number
  wake(): void
}

/** Lets everything run that needs neither a step nor the time. */
const flushed = () => new Promise<void>((resolve) => setImmediate(resolve))

/**
 * Time that stands still while anything can run, and steps that run in the scheduler's order. A step may take its time;
 * that is how one party gets ahead of another.
 */
export const virtualTime = (scheduler: Scheduler, start: number) => {
  let now = start
  const sleepers = new Set<Sleeper>()

  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      const sleeper = {
        wakeAt: now + ms,
        wake: () => {
          sleepers.delete(sleeper)
          resolve()
        },
      }
      sleepers.add(sleeper)
    })

  const earliest = () => [...sleepers].sort((one, other) => one.wakeAt - other.wakeAt)[0]

  /** Runs until nothing is left to do, the latest alarm included. */
  const drive = async (): Promise<void> => {
    for (;;) {
      await flushed()
      if (scheduler.count() > 0) {
        await scheduler.waitOne()
        continue
      }
      const next = earliest()
      if (!next) return
      now = Math.max(now, next.wakeAt)
      next.wake()
    }
  }

  return {
    now: () => now,
    sleep,
    step: async (label: string, takesMs: number) => {
      if (takesMs > 0) await sleep(takesMs)
      await scheduler.schedule(Promise.resolve(), label)
    },
    pass: (ms: number) => {
      now += ms
    },
    drive,
  }
}
