/** DynamoDB's names for "too fast", and those of a proxy before it. */
const THROTTLED = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'LimitExceededException',
  'SlowDown',
])
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 20_000
/** Repetitions of one request, over two and a half minutes: a table that takes none by then is no matter of pace. */
const REPEATED = 11

export const isThrottled = (error: unknown) => error instanceof Error && THROTTLED.has(error.name)

interface PaceOptions {
  /** Requests under way at once, at the most. */
  atMost: number
  /** Once it is aborted, nothing is repeated. */
  signal: AbortSignal | undefined
  sleep(milliseconds: number): Promise<unknown>
}

/**
 * Runs requests side by side. One that is throttled halves how many run at once, pauses and is repeated; good ones raise
 * it again, one by one.
 */
export const createPace = ({ atMost, signal, sleep }: PaceOptions) => {
  let limit = atMost
  let active = 0
  let good = 0
  const waiting: (() => void)[] = []

  const enter = async () => {
    while (active >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
    active++
  }
  const leave = () => {
    active--
    for (let free = limit - active; free > 0; free--) waiting.shift()?.()
  }
  const slowDown = () => {
    limit = Math.max(1, Math.floor(limit / 2))
    good = 0
  }
  const speedUp = () => {
    if (++good < limit || limit === atMost) return
    limit++
    good = 0
  }

  const attempt = async <Result>(request: () => Promise<Result>): Promise<Result> => {
    await enter()
    try {
      const result = await request()
      speedUp()
      return result
    } catch (error) {
      if (isThrottled(error)) slowDown()
      throw error
    } finally {
      leave()
    }
  }

  return {
    /** How many may run at once now. */
    limit: () => limit,
    /** Throws what the request throws; the error of the last attempt where it is throttled all the while. */
    run: async <Result>(request: () => Promise<Result>): Promise<Result> => {
      for (let count = 0; ; count++) {
        try {
          return await attempt(request)
        } catch (error) {
          if (!isThrottled(error) || count >= REPEATED || signal?.aborted) throw error
          await sleep(Math.min(FIRST_PAUSE_MS * 2 ** count, LONGEST_PAUSE_MS))
        }
      }
    },
  }
}

export type Pace = ReturnType<typeof createPace>
