import { setTimeout as wait } from 'node:timers/promises'
import { cpuTimeMs } from './cpu-time.ts'
import type { Load, LoadOrder } from './load-order.ts'

/** One program doing one thing: what is sent to it, and the process whose CPU time counts. */
export interface Case<Name extends string = string> {
  name: Name
  pid: number
  order: Omit<LoadOrder, 'requests'>
  requests: number
}

/** CPU time per request of a case in µs, one figure a round. */
export type Figures<Name extends string> = (name: Name) => number[]

/** Longer than anything that a request leaves behind: the timers of calls that were answered. Milliseconds. */
const SETTLED_MS = 3_000

/**
 * Charges the CPU time of a process to what it did last, until it is told to do something else: what a request leaves
 * to be done later is part of its price.
 */
const ledger = <Name extends string>() => {
  const figures = new Map<Name, number[]>()
  const running = new Map<number, { last: Case<Name>; sinceMs: number }>()
  const settle = (pid: number) => {
    const entry = running.get(pid)
    if (!entry) return
    const { name, requests } = entry.last
    const micros = ((cpuTimeMs(pid) - entry.sinceMs) * 1000) / requests
    figures.set(name, [...(figures.get(name) ?? []), micros])
  }
  return {
    begin: (one: Case<Name>) => {
      settle(one.pid)
      running.set(one.pid, { last: one, sinceMs: cpuTimeMs(one.pid) })
    },
    end: (): Figures<Name> => {
      for (const pid of running.keys()) settle(pid)
      return (name) => figures.get(name) ?? []
    },
  }
}

/** Measures the cases in rounds, each case once a round and every other round backwards, after a warm-up that no figure shows. */
export const measureInRounds = async <Name extends string>(
  load: Load,
  cases: readonly Case<Name>[],
  { rounds, warmUp }: { rounds: number; warmUp: number },
): Promise<Figures<Name>> => {
  for (const one of cases) await load.send({ ...one.order, requests: warmUp })
  await wait(SETTLED_MS)
  const charged = ledger<Name>()
  for (let round = 0; round < rounds; round++) {
    for (const one of round % 2 === 0 ? cases : cases.toReversed()) {
      charged.begin(one)
      await load.send({ ...one.order, requests: one.requests })
    }
  }
  await wait(SETTLED_MS)
  return charged.end()
}
