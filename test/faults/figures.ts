import { CUTS } from './cut-refresh.ts'
import type { FreezeFigures } from './freezes.ts'
import type { ClockFigures } from './shifted-clocks.ts'
import type { Tally } from './tally.ts'
import type { ThrottledOutcome } from './throttled-table.ts'
import type { Waiting } from './waiters.ts'

/** Faults of whole Workers and tables. */
export interface Upsets {
  freezes: FreezeFigures
  clocks: ClockFigures[]
  throttled: ThrottledOutcome[]
}

export interface Figures extends Upsets {
  seed: number
  strict: Tally
  own: Tally
  waiting: Waiting
}

const ms = (value: number) => `${Math.round(value)} ms`
const row = (...cells: (string | number)[]) => `| ${cells.join(' | ')} |`

const JOINTS = ['read', 'claim', 'intuit', 'store', 'fail'] as const
const KINDS = [
  ...(['throttle', 'server error', 'gateway page', 'invalid_grant', 'huge', 'delay'] as const),
  ...(['cut before', 'cut after', 'break', 'hang', 'hang after'] as const),
] as const

const sum = (tallies: Tally[], joint: string, kind: string) =>
  tallies.reduce((total, { strikes }) => total + (strikes.get(`${joint}|${kind}`) ?? 0), 0)

const strikesTable = (tallies: Tally[]) => [
  row('fault', ...JOINTS),
  row('---', ...JOINTS.map(() => '--:')),
  ...KINDS.map((kind) => row(kind, ...JOINTS.map((joint) => sum(tallies, joint, kind) || '–'))),
]

const cutsTable = (tallies: Tally[]) => {
  const names = new Set(tallies.flatMap(({ cuts }) => [...cuts.keys()]))
  const total = (name: string) => tallies.reduce((count, { cuts }) => count + (cuts.get(name) ?? 0), 0)
  return [
    row('ended while', 'refreshes'),
    row('---', '--:'),
    ...CUTS.filter((name) => names.has(name)).map((name) => row(name, total(name))),
  ]
}

const upsetsTable = ({ freezes, clocks, throttled }: Upsets) => [
  row('what happens', 'refreshes', 'lost', 'tokens used after their successor was stored'),
  row('---', '--:', '--:', '--:'),
  row(
    'frozen for longer than the lease, connections cut, taken over',
    freezes.takenOver,
    freezes.lost,
    freezes.usedAfterSuccessor,
  ),
  row('frozen, Intuit’s answer in the buffers', freezes.buffered, freezes.lost, freezes.usedAfterSuccessor),
  ...clocks.map(({ aheadSeconds, refreshes, lost, usedAfterSuccessor }) =>
    row(
      `one of two clocks is ${Math.abs(aheadSeconds)} s ${aheadSeconds < 0 ? 'slow' : 'fast'}`,
      refreshes,
      lost,
      usedAfterSuccessor,
    ),
  ),
  ...throttled.map(({ workers, callers, connections, writesPerSecond, rotated, lost, usedAfterSuccessor }) =>
    row(
      `${writesPerSecond} writes a second, ${callers} callers, ${connections} connections, ${workers === 1 ? 'one Worker' : `${workers} Workers`}, no rescue store`,
      ...[rotated, lost, usedAfterSuccessor],
    ),
  ),
]

/** The figures as Markdown. */
export const figuresText = ({ seed, strict, own, waiting, ...upsets }: Figures): string => {
  const both = (name: string, read: (tally: Tally) => number) => row(name, read(strict), read(own))
  return [
    `Seed ${seed}.`,
    '',
    row('', 'strict', "Intuit's own"),
    row('---', '--:', '--:'),
    both('refreshes in which a fault struck', ({ faulted }) => faulted),
    both('of them while the rescue store was closed', ({ withoutRescue }) => withoutRescue),
    both('of them cut by the end of their Worker', ({ cut }) => cut),
    both('Worker processes ended', ({ kills }) => kills),
    both('pairs found parked', ({ parked }) => parked),
    both('pairs recovered from there by another request', ({ recovered }) => recovered),
    both('calls to Intuit', ({ calls }) => calls),
    both('tokens used after their successor was stored', ({ usedAfterSuccessor }) => usedAfterSuccessor),
    both('lost, though the design covers it', ({ losses }) => losses.coverable),
    both("lost as Intuit's answer never arrived", ({ losses }) => losses['the answer never arrived']),
    both('lost as the Worker ended before its first store', ({ losses }) => losses['ended before its first store']),
    '',
    ...strikesTable([strict, own]),
    '',
    ...cutsTable([strict, own]),
    '',
    ...upsetsTable(upsets),
    '',
    `Waiters: ${waiting.callers} simultaneous reads of an expired token on three Workers, ${waiting.rounds} times, Intuit taking 300 ms. ` +
      `The holder is answered after ${ms(waiting.holderMedian)} (median), the others ${ms(waiting.p50)} (median), ` +
      `${ms(waiting.p99)} (99th percentile), ${ms(waiting.longest)} (longest) later; the bound is 500 ms at the 99th percentile.`,
  ].join('\n')
}
