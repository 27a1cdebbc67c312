/** The deployed cron runs every five minutes, which is too long for trying it out. */
const EVERY_MS = 60_000

/** Runs the Worker's cron now and every minute, one run at a time. Calls `onFailure` for each run that rejects. */
export const startCron = (run: () => Promise<void>, onFailure: () => void, everyMs = EVERY_MS) => {
  let isRunning = false
  let isClosed = false
  const tick = async () => {
    if (isRunning) return
    isRunning = true
    await run().catch(() => isClosed || onFailure())
    isRunning = false
  }
  void tick()
  const timer = setInterval(() => void tick(), everyMs)
  return {
    close: async (): Promise<void> => {
      isClosed = true
      clearInterval(timer)
    },
  }
}
