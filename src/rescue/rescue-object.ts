import { DurableObject } from 'cloudflare:workers'

/** A refresh token expires after 100 days without use, so an older parked pair is useless. */
const RETENTION_MS = 100 * 86_400_000

/**
 * Stores the parked token pairs of one company in SQLite: strongly consistent, and independent of the table. The caller
 * encrypts the tokens. A row is deleted when its token pair is stored in the table, or by an alarm after 100 days.
 */
export class RescueStore extends DurableObject<unknown> {
  constructor(...args: ConstructorParameters<typeof DurableObject<unknown>>) {
    super(...args)
    this.ctx.storage.sql.exec(
      'CREATE TABLE IF NOT EXISTS parked (spent_hash TEXT PRIMARY KEY, successor TEXT NOT NULL, parked_at INTEGER NOT NULL)',
    )
  }

  async park(usedTokenHash: string, successor: string): Promise<void> {
    const now = Date.now()
    this.ctx.storage.sql.exec('INSERT OR REPLACE INTO parked VALUES (?, ?, ?)', usedTokenHash, successor, now)
    await this.ctx.storage.setAlarm(now + RETENTION_MS)
    await this.ctx.storage.sync()
  }

  find(usedTokenHash: string): string | undefined {
    const [row] = this.ctx.storage.sql
      .exec<{ successor: string }>('SELECT successor FROM parked WHERE spent_hash = ?', usedTokenHash)
      .toArray()
    return row?.successor
  }

  remove(usedTokenHash: string): void {
    this.ctx.storage.sql.exec('DELETE FROM parked WHERE spent_hash = ?', usedTokenHash)
  }

  override alarm(): void {
    this.ctx.storage.sql.exec('DELETE FROM parked WHERE parked_at <= ?', Date.now() - RETENTION_MS)
  }
}
