import { createHash, randomBytes, randomInt } from 'node:crypto'
import { takeNoArguments } from '../dev/arguments.ts'
import { type ApiKey, PERMISSIONS } from '../src/broker/api-client.ts'
import { createApiKeys } from '../src/crypto/api-keys.ts'

const HELP = `
node bench/key-timing.ts: whether the time it takes to look at an API key tells anything about it.

Looks at a right key, at right ones of other places in the list, and at wrong ones that differ in their first or last
character or throughout, all once in each round and in an order by chance: first where none of them came before, then
where each did, as what came before is not hashed again. Every round has keys of its own. A sign test over the rounds
tells how often each took longer than the first right one. Ends with 1 where any |z| is above 4.5, the limit of dudect
(Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", 2017).
`
const ROUNDS = 20_000
const KEYS = 25
const LIMIT = 4.5
takeNoArguments(HELP)

const newSecret = () => `qbtb_${randomBytes(32).toString('base64url')}`
const other = (character: string) => (character === 'A' ? 'B' : 'A')
const REFERENCE = 'right, first of 25'

/** One round's keys, by which callers are recognised, and what is presented. New ones each time: nothing is due to a text. */
const newRound = () => {
  const secrets = Array.from({ length: KEYS }, newSecret)
  const keys = secrets.map(
    (secret, index): ApiKey => ({
      ...{ name: `caller-${index}`, may: PERMISSIONS, companies: ['*'], expiresAt: undefined },
      digest: createHash('sha256').update(secret).digest(),
    }),
  )
  const [first = ''] = secrets
  const candidates: Record<string, string> = {
    [REFERENCE]: first,
    'right, second': secrets[1] ?? '',
    'right, in the middle': secrets[KEYS >> 1] ?? '',
    'right, last': secrets.at(-1) ?? '',
    'wrong at its first character': other(first.charAt(0)) + first.slice(1),
    'wrong at its last character': first.slice(0, -1) + other(first.slice(-1)),
    'wrong altogether': newSecret(),
  }
  const identifyClient = () =>
    createApiKeys(
      () => ({ apiKey: undefined, keys }),
      () => Date.now(),
    )
  return { candidates, identifyClient }
}

const shuffled = (names: string[]) => {
  for (let left = names.length; left > 1; left--) {
    const [drawn] = names.splice(randomInt(left), 1)
    if (drawn !== undefined) names.push(drawn)
  }
  return names
}

/** Copies, each in a place of its own in memory: one that was just used would be quicker to reach. In an order by chance. */
const copies = (candidates: Record<string, string>) =>
  shuffled(Object.keys(candidates)).map((name) => ({ name, text: Buffer.from(candidates[name] ?? '').toString() }))

/** Nanoseconds of each candidate, round by round. `before`: whether all of them came before. */
const measure = async (before: boolean) => {
  const times: Record<string, number[]> = {}
  for (let round = 0; round < ROUNDS; round++) {
    const { candidates, identifyClient } = newRound()
    const known = identifyClient()
    if (before) for (const { text } of copies(candidates)) await known(text)
    for (const { name, text } of copies(candidates)) {
      const look = before ? known : identifyClient()
      const startedAt = process.hrtime.bigint()
      await look(text)
      const nanoseconds = Number(process.hrtime.bigint() - startedAt)
      times[name] ??= []
      times[name].push(nanoseconds)
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

/** Prints how each candidate compares, and returns the largest |z|. */
const compare = async (what: string, before: boolean) => {
  const times = await measure(before)
  const reference = times[REFERENCE] ?? []
  let worst = 0
  process.stdout.write(`${what}\n`)
  for (const [name, measured] of Object.entries(times)) {
    const z = name === REFERENCE ? 0 : signTest(measured, reference)
    worst = Math.max(worst, Math.abs(z))
    process.stdout.write(
      `  ${name.padEnd(30)} median ${String(median(measured)).padStart(6)} ns   z ${z.toFixed(2).padStart(6)}\n`,
    )
  }
  return worst
}

const worst = Math.max(await compare('Comes first', false), await compare('Came before', true))
const verdict = worst <= LIMIT ? 'Statistically alike' : 'Told apart'
process.stdout.write(`${verdict}: the largest |z| is ${worst.toFixed(2)}, of ${LIMIT} allowed.\n`)
process.exitCode = worst <= LIMIT ? 0 : 1
