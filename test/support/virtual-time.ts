/** Chooses the order of steps: fast-check's scheduler, or `inOrder`. */
export interface Scheduler {
  schedule(task: Promise<void>, label?: string): Promise<void>
  count(): number
  waitOne(): Promise<void>
}

/** Runs steps in the order of their arrival. */
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

/** Runs everything that needs neither a step nor time. */
const flush = () => new Promise<void>((resolve) => setImmediate(resolve))

/**
 * A clock that advances only when nothing else can run, and steps that run in the order of the scheduler. A step may take
 * time, so that another party gets ahead of it.
 */
export const createVirtualTime = (scheduler: Scheduler, start: number) => {
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

  /** Runs until no step and no sleeper is left. */
  const drive = async (): Promise<void> => {
    for (;;) {
      await flush()
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
