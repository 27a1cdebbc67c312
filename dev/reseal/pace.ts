/** DynamoDB's error names for throttling, and those of proxies in front of it. */
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
/** Retries of one request, over two and a half minutes. A table that throttles for longer has another problem. */
const RETRIES = 11

/** Whether a request was throttled. */
export const isThrottled = (error: unknown) => error instanceof Error && THROTTLED.has(error.name)

interface PaceOptions {
  /** Maximum number of concurrent requests. */
  atMost: number
  /** After an abort, nothing is retried. */
  signal: AbortSignal | undefined
  sleep(milliseconds: number): Promise<unknown>
}

/** Limits concurrency: halves the limit when a request is throttled, raises it by one after a round of successes. */
const createLimit = (atMost: number) => {
  let limit = atMost
  let active = 0
  let succeeded = 0
  const waiting: (() => void)[] = []
  return {
    current: () => limit,
    enter: async () => {
      while (active >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
      active++
    },
    leave: () => {
      active--
      for (let free = limit - active; free > 0; free--) waiting.shift()?.()
    },
    lower: () => {
      limit = Math.max(1, Math.floor(limit / 2))
      succeeded = 0
    },
    addSuccess: () => {
      if (++succeeded < limit || limit === atMost) return
      limit++
      succeeded = 0
    },
  }
}

/** Runs requests concurrently, at the pace that the table accepts. A throttled request is retried after a pause. */
export const createPace = ({ atMost, signal, sleep }: PaceOptions) => {
  const limit = createLimit(atMost)

  const attempt = async <Result>(request: () => Promise<Result>): Promise<Result> => {
    await limit.enter()
    try {
      const result = await request()
      limit.addSuccess()
      return result
    } catch (error) {
      if (isThrottled(error)) limit.lower()
      throw error
    } finally {
      limit.leave()
    }
  }

  return {
    /** The current maximum of concurrent requests. */
    limit: limit.current,
    /** Throws the error of the request, or that of its last attempt if every attempt is throttled. */
    run: async <Result>(request: () => Promise<Result>): Promise<Result> => {
      for (let count = 0; ; count++) {
        try {
          return await attempt(request)
        } catch (error) {
          if (!isThrottled(error) || count >= RETRIES || signal?.aborted) throw error
          await sleep(Math.min(FIRST_PAUSE_MS * 2 ** count, LONGEST_PAUSE_MS))
        }
      }
    },
  }
}

export type Pace = ReturnType<typeof createPace>
