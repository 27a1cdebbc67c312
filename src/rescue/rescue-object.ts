import { DurableObject } from 'cloudflare:workers'

/** An idle refresh token dies after 100 days: what was parked for longer is of no use. */
const KEPT_MS = 100 * 86_400_000

/**
 * The parked pairs of one company, in SQLite: strongly consistent, and apart from the table. A pair is text to it,
 * sealed by who parks it. A row goes when its pair is stored, or by alarm when its tokens have died.
 */
export class RescueStore extends DurableObject<unknown> {
  constructor(...given: ConstructorParameters<typeof DurableObject<unknown>>) {
    super(...given)
    this.ctx.storage.sql.exec(
      'CREATE TABLE IF NOT EXISTS parked (spent_hash TEXT PRIMARY KEY, successor TEXT NOT NULL, parked_at INTEGER NOT NULL)',
    )
  }

  async park(usedTokenHash: string, successor: string): Promise<void> {
    const now = Date.now()
    this.ctx.storage.sql.exec('INSERT OR REPLACE INTO parked VALUES (?, ?, ?)', usedTokenHash, successor, now)
    await this.ctx.storage.setAlarm(now + KEPT_MS)
    await this.ctx.storage.sync()
  }

  find(usedTokenHash: string): string | undefined {
    const [row] = this.ctx.storage.sql
      .exec<{ successor: string }>('SELECT successor FROM parked WHERE spent_hash = ?', usedTokenHash)
      .toArray()
    return row?.successor
  }

  forget(usedTokenHash: string): void {
    this.ctx.storage.sql.exec('DELETE FROM parked WHERE spent_hash = ?', usedTokenHash)
  }

  override alarm(): void {
    this.ctx.storage.sql.exec('DELETE FROM parked WHERE parked_at <= ?', Date.now() - KEPT_MS)
  }
}
