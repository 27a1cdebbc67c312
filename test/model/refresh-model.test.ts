import { describe, expect, it } from 'vitest'
import { explore } from './explore.ts'
import { MUTATIONS, world } from './mutations.ts'
import { refreshProtocol } from './refresh-protocol.ts'
import { PROTOCOL, type World } from './rules.ts'

/** Some worlds take seconds, and longer on a busy machine. */
const TIMEOUT_MS = 180_000

/** The worlds, each with its number of states. The number changes with the model. */
const WORLDS: [string, Partial<World>, number][] = [
  ['two holders, two crashes, two faults', { crashes: 2, faults: 2 }, 6_517],
  ['two that may sleep before the use', { sleeps: 'before the use', crashes: 2, faults: 2 }, 10_123],
  ['two holders that may be paused past their lease', { sleeps: 'always', crashes: 2, faults: 2 }, 69_887],
  [
    'the same if a superseded token is only rejected',
    { sleeps: 'always', strict: false, crashes: 2, faults: 2 },
    65_758,
  ],
  ['three holders, two crashes, two faults', { holders: 3, crashes: 2, faults: 2 }, 56_698],
  ['three that may sleep before the use', { holders: 3, sleeps: 'before the use' }, 15_189],
  ['three holders that may be paused, one crash', { holders: 3, sleeps: 'always', strict: false, faults: 0 }, 11_614],
  ['three holders that may be paused, one fault', { holders: 3, sleeps: 'always', strict: false, crashes: 0 }, 107_426],
  ['a consent during the refresh', { consent: true }, 16_778],
  ['a disconnect during the refresh', { disconnect: true }, 7_895],
  ['a consent and a disconnect during the refresh', { consent: true, disconnect: true, crashes: 0 }, 101_620],
]

describe('the protocol of a refresh, in every order of its steps', () => {
  it.each(WORLDS)(
    'keeps its guarantees with %s',
    (_, change, states) => {
      expect(explore(refreshProtocol(world(change)))).toEqual({ states, counterexample: undefined })
    },
    TIMEOUT_MS,
  )
})

describe('a protocol that breaks a guarantee: one that', () => {
  it.each(MUTATIONS)(
    '$name',
    ({ rules, in: change, breaks }) => {
      const { counterexample } = explore(refreshProtocol(world({ ...change, rules: { ...PROTOCOL, ...rules } })))
      expect(counterexample?.promise).toBe(breaks)
    },
    TIMEOUT_MS,
  )
})
