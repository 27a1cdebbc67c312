/** One thing looked at. `skip`: it could not be looked at here, which is no fault. */
export interface Check {
  check: string
  status: 'ok' | 'warn' | 'fail' | 'skip'
  /** What was found. Names variables and never shows a secret. */
  detail: string
  /** What to do about it, in words. */
  todo?: string
}

type Finding = (detail: string, todo?: string) => Check

/** The four findings of one check. */
export const findings = (check: string): Record<Check['status'], Finding> => {
  const finding =
    (status: Check['status']): Finding =>
    (detail, todo) => ({ check, status, detail, ...(todo === undefined ? {} : { todo }) })
  return { ok: finding('ok'), warn: finding('warn'), fail: finding('fail'), skip: finding('skip') }
}

const STATUS_WIDTH = 6
const CHECK_WIDTH = 22

/** One line a check, and one below with what to do. */
export const checkText = ({ check, status, detail, todo }: Check): string => {
  const line = `${status.padEnd(STATUS_WIDTH)}${check.padEnd(CHECK_WIDTH)}${detail}`
  return todo === undefined ? line : `${line}\n${' '.repeat(STATUS_WIDTH + CHECK_WIDTH)}→ ${todo}`
}
