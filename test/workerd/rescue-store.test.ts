import { env, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { createRescueClient } from '../../src/rescue/rescue-client.ts'
import type { RescueStore } from '../../src/rescue/rescue-object.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      RESCUE: DurableObjectNamespace<RescueStore>
    }
  }
}

const successor = {
  pair: {
    ...{ accessToken: 'sealed-access', accessTokenExpiresAt: 2, refreshToken: 'sealed-refresh' },
    ...{ refreshTokenExpiresAt: 3, refreshTokenHardExpiresAt: undefined, refreshTokenHash: 'hash-b' },
  },
  ...{ rotated: true, now: 1, writer: 'me' },
}
const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))
const rescue = createRescueClient(env.RESCUE, { sleep })

describe('the rescue store', () => {
  it('finds what was parked for the used token, and nothing else', async () => {
    await rescue.park('beach', 'hash-a', successor)
    expect(await rescue.find('beach', 'hash-a')).toEqual(successor)
    expect(await rescue.find('beach', 'hash-b')).toBeUndefined()
    expect(await rescue.find('another', 'hash-a')).toBeUndefined()
  })

  it('keeps the last pair that was parked for a token', async () => {
    await rescue.park('twice', 'hash-a', successor)
    await rescue.park('twice', 'hash-a', { ...successor, writer: 'me again' })
    expect(await rescue.find('twice', 'hash-a')).toMatchObject({ writer: 'me again' })
  })

  it('forgets', async () => {
    await rescue.park('gone', 'hash-a', successor)
    await rescue.remove('gone', 'hash-a')
    expect(await rescue.find('gone', 'hash-a')).toBeUndefined()
  })

  it('drops by alarm what no token can be alive in any more, and keeps what may be', async () => {
    await rescue.park('old', 'hash-a', successor)
    await rescue.park('old', 'hash-b', successor)
    const stub = env.RESCUE.getByName('old')
    await runInDurableObject(stub, (_, state) => {
      state.storage.sql.exec("UPDATE parked SET parked_at = 0 WHERE spent_hash = 'hash-a'")
    })
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    expect(await rescue.find('old', 'hash-a')).toBeUndefined()
    expect(await rescue.find('old', 'hash-b')).toEqual(successor)
  })

  it('counts as out of reach when it does not answer in time', async () => {
    const impatient = createRescueClient(env.RESCUE, { sleep: async () => undefined })
    await expect(impatient.find('beach', 'hash-a')).rejects.toThrow('in time')
  })
})
