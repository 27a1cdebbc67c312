import { readdirSync, readFileSync } from 'node:fs'

/** The unit of /proc/PID/stat: USER_HZ, which is 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100

/** Field 1 of /proc/PID/task/TID/schedstat: nanoseconds on a CPU. A thread that has ended counts 0. */
const threadMs = (pid: number, thread: string) => {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return 0
  }
}

/** utime and stime: fields 14 and 15 of proc_pid_stat(5). Field 2 is a name that may contain spaces. */
const ticksMs = (pid: number) => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND
}

/**
 * The CPU time of a process so far, user and system, in ms. Sums the scheduler's nanoseconds of all threads. Kernels
 * without schedstat give utime and stime instead, which are exact to 10 ms.
 */
export const cpuTimeMs = (pid: number): number => {
  const threads = readdirSync(`/proc/${pid}/task`)
  const fine = threads.reduce((sum, thread) => sum + threadMs(pid, thread), 0)
  return fine > 0 ? fine : ticksMs(pid)
}
