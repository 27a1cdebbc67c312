/** The result of one check. `skip`: the check was not possible, which is not a failure. */
export interface Check {
  check: string
  status: 'ok' | 'warn' | 'fail' | 'skip'
  /** What the check found. Names variables and never shows a secret. */
  detail: string
  /** What to do. */
  todo?: string
}

type AddDetail = (detail: string, todo?: string) => Check

/** Creates the four possible results of a check. */
export const createResults = (check: string): Record<Check['status'], AddDetail> => {
  const createResult =
    (status: Check['status']): AddDetail =>
    (detail, todo) => ({ check, status, detail, ...(todo === undefined ? {} : { todo }) })
  return { ok: createResult('ok'), warn: createResult('warn'), fail: createResult('fail'), skip: createResult('skip') }
}

const STATUS_WIDTH = 6
const CHECK_WIDTH = 22

/** Formats a check as one line, with a second line for what to do. */
export const formatCheck = ({ check, status, detail, todo }: Check): string => {
  const line = `${status.padEnd(STATUS_WIDTH)}${check.padEnd(CHECK_WIDTH)}${detail}`
  return todo === undefined ? line : `${line}\n${' '.repeat(STATUS_WIDTH + CHECK_WIDTH)}→ ${todo}`
}
