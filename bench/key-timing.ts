import { createHash, randomBytes, randomInt } from 'node:crypto'
import { takeNoArguments } from '../dev/arguments.ts'
import { type CallerKey, PERMISSIONS } from '../src/broker/caller.ts'
import { callerKeys } from '../src/crypto/caller-keys.ts'

const HELP = `
node bench/key-timing.ts: whether the time it takes to look at an API key tells anything about it.

Looks at a right key, at right ones of other places in the list, and at wrong ones that differ in their first or last
character or throughout, all once in each round and in an order by chance. A sign test over the rounds tells how often
each took longer than the first right one; "the same again" shows what chance alone does. Ends with 1 where any |z| is
above 4.5, the limit of dudect (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", 2017).
`
const ROUNDS = 20_000
const KEYS = 25
const LIMIT = 4.5
takeNoArguments(HELP)

const secrets = Array.from({ length: KEYS }, () => `qbtb_${randomBytes(32).toString('base64url')}`)
const keys = secrets.map(
  (secret, index): CallerKey => ({
    ...{ name: `caller-${index}`, may: PERMISSIONS, companies: ['*'], expiresAt: undefined },
    digest: createHash('sha256').update(secret).digest(),
  }),
)
const identify = callerKeys(
  () => ({ apiKey: undefined, keys }),
  () => Date.now(),
)
const [first = ''] = secrets
const middle = secrets[KEYS >> 1] ?? ''
const last = secrets.at(-1) ?? ''
const REFERENCE = 'right, first of 25'
const other = (character: string) => (character === 'A' ? 'B' : 'A')

const CANDIDATES: Record<string, () => string> = {
  [REFERENCE]: () => first,
  'the same again': () => first,
  'right, in the middle': () => middle,
  'right, last': () => last,
  'wrong at its first character': () => other(first.charAt(0)) + first.slice(1),
  'wrong at its last character': () => first.slice(0, -1) + other(first.slice(-1)),
  'wrong altogether': () => `qbtb_${randomBytes(32).toString('base64url')}`,
}

const shuffled = (names: string[]) => {
  for (let left = names.length; left > 1; left--) {
    const [drawn] = names.splice(randomInt(left), 1)
    if (drawn !== undefined) names.push(drawn)
  }
  return names
}

/** Every text of every round, each in a place of its own in memory: one that was just used would be quicker to reach. */
const texts = Object.fromEntries(
  Object.entries(CANDIDATES).map(([name, make]) => [
    name,
    Array.from({ length: ROUNDS }, () => Buffer.from(make()).toString()),
  ]),
)

/** Nanoseconds of each candidate, round by round. */
const measure = async () => {
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(CANDIDATES).map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of shuffled(Object.keys(CANDIDATES))) {
      const presented = texts[name]?.[round]
      const before = process.hrtime.bigint()
      await identify(presented)
      times[name]?.push(Number(process.hrtime.bigint() - before))
    }
  }
  return times
}

const median = (times: number[]) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0

/** How far the number of rounds in which `times` was the longer one is from half of them, in standard deviations. */
const signTest = (times: number[], reference: number[]) => {
  const signs = times.map((time, round) => Math.sign(time - (reference[round] ?? 0))).filter((sign) => sign !== 0)
  return signs.reduce((sum, sign) => sum + sign, 0) / Math.sqrt(signs.length)
}

const times = await measure()
const reference = times[REFERENCE] ?? []
let worst = 0
for (const [name, measured] of Object.entries(times)) {
  const z = name === REFERENCE ? 0 : signTest(measured, reference)
  worst = Math.max(worst, Math.abs(z))
  process.stdout.write(
    `${name.padEnd(30)} median ${String(median(measured)).padStart(6)} ns   z ${z.toFixed(2).padStart(6)}\n`,
  )
}
const verdict = worst <= LIMIT ? 'Statistically alike' : 'Told apart'
process.stdout.write(`${verdict}: the largest |z| is ${worst.toFixed(2)}, of ${LIMIT} allowed.\n`)
process.exitCode = worst <= LIMIT ? 0 : 1
