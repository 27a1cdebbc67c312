import { describe, expect, it } from 'vitest'
import { explore } from './explore.ts'
import { MUTATIONS, world } from './mutations.ts'
import { refreshProtocol } from './refresh-protocol.ts'
import { PROTOCOL, type World } from './rules.ts'

/** Some need seconds of computing, many on a busy machine. */
const TIMEOUT_MS = 180_000

/** What may happen, and how many states that makes: a change of the model shows in the number. */
const WORLDS: [string, Partial<World>, number][] = [
  ['two holders, two deaths, two faults', { crashes: 2, faults: 2 }, 6_517],
  ['two that may sleep before the use', { sleeps: 'before the use', crashes: 2, faults: 2 }, 10_123],
  ['two that may sleep past their lease', { sleeps: 'always', crashes: 2, faults: 2 }, 69_887],
  [
    'the same where a superseded token is only refused',
    { sleeps: 'always', strict: false, crashes: 2, faults: 2 },
    65_758,
  ],
  ['three holders, two deaths, two faults', { holders: 3, crashes: 2, faults: 2 }, 56_698],
  ['three that may sleep before the use', { holders: 3, sleeps: 'before the use' }, 15_189],
  ['three that may sleep, and one dies', { holders: 3, sleeps: 'always', strict: false, faults: 0 }, 11_614],
  ['three that may sleep, and one fault', { holders: 3, sleeps: 'always', strict: false, crashes: 0 }, 107_426],
  ['a consent in between', { consent: true }, 16_778],
  ['a disconnect in between', { disconnect: true }, 7_895],
  ['a consent and a disconnect in between', { consent: true, disconnect: true, crashes: 0 }, 101_620],
]

describe('the protocol of a refresh, in every order of its steps', () => {
  it.each(WORLDS)(
    'keeps its promises with %s',
    (_, change, states) => {
      expect(explore(refreshProtocol(world(change)))).toEqual({ states, counterexample: undefined })
    },
    TIMEOUT_MS,
  )
})

describe('a protocol that breaks a promise: one that', () => {
  it.each(MUTATIONS)(
    '$name',
    ({ rules, in: change, breaks }) => {
      const { counterexample } = explore(refreshProtocol(world({ ...change, rules: { ...PROTOCOL, ...rules } })))
      expect(counterexample?.promise).toBe(breaks)
    },
    TIMEOUT_MS,
  )
})
