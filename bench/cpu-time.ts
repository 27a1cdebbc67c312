import { readdirSync, readFileSync } from 'node:fs'

/** USER_HZ of every Linux that Node runs on: /proc/PID/stat counts in these. */
const TICKS_A_SECOND = 100

/** Field 1 of /proc/PID/task/TID/schedstat: nanoseconds on a CPU. */
const threadMs = (pid: number, thread: string) => {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return 0
  }
}

/** utime and stime (fields 14 and 15 of proc_pid_stat(5)); what stands before is a name that may hold spaces. */
const ticksMs = (pid: number) => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_A_SECOND
}

/**
 * The CPU time of a process so far, user and system, in ms. By the scheduler's nanoseconds, summed over its threads;
 * by utime and stime, which are exact to 10 ms, where the kernel keeps no such figures.
 */
export const cpuTimeMs = (pid: number): number => {
  const threads = readdirSync(`/proc/${pid}/task`)
  const fine = threads.reduce((sum, thread) => sum + threadMs(pid, thread), 0)
  return fine > 0 ? fine : ticksMs(pid)
}
