import {
  type Connection,
  changeTime,
  EMBARGO,
  type Failure,
  type Lease,
  type StoredTokenPair,
} from '../../src/broker/connection.ts'
import type { ConnectionStore, DisconnectionStore, LeaseEnd } from '../../src/broker/ports/storage.ts'
import { addToHistory } from '../../src/broker/refresh/history.ts'
import { createConnection } from './fixtures.ts'

/** Connection records by company key. */
export type Rows = Map<string, Row>

interface Row {
  connection: Connection
  expiresAt: number | undefined
}

const holdsTokens = ({ accessToken, refreshToken }: Connection) => Boolean(accessToken ?? refreshToken)

const withPair = (row: Row, pair: StoredTokenPair, now: number, writer: string): Connection => ({
  ...row.connection,
  accessToken: pair.accessToken,
  accessTokenExpiresAt: pair.accessTokenExpiresAt,
  refreshToken: pair.refreshToken,
  refreshTokenExpiresAt: pair.refreshTokenExpiresAt,
  refreshTokenHardExpiresAt: pair.refreshTokenHardExpiresAt ?? row.connection.refreshTokenHardExpiresAt,
  refreshTokenHash: pair.refreshTokenHash,
  updatedAt: now,
  lastRefreshAt: now,
  generation: row.connection.generation + 1,
  writtenBy: writer,
  lease: undefined,
  failure: undefined,
  disconnection: undefined,
})

const leaseAfter = (lease: Lease, end: LeaseEnd | 'embargo') => {
  if (end === 'free') return undefined
  return end === 'embargo' ? { ...lease, owner: EMBARGO } : { ...lease, until: end.lapsedAt }
}

const isOwn = (lease: Lease | undefined, owner: string, used: Connection) =>
  lease?.owner === owner || (lease?.owner === EMBARGO && lease.until === used.lease?.until)

/** A connection store in memory with the conditions of the table. Each call is one atomic step. */
export const createMemoryConnections = (rows: Rows): ConnectionStore => {
  const live = (companyKey: string, now: number) => {
    const row = rows.get(companyKey)
    return row && (row.expiresAt === undefined || row.expiresAt > now) ? row : undefined
  }
  const stillStored = (used: Connection) => {
    const row = rows.get(used.companyKey)
    if (!row) return undefined
    const { refreshTokenHash, refreshToken } = row.connection
    const same = used.refreshTokenHash
      ? refreshTokenHash === used.refreshTokenHash
      : !refreshTokenHash && refreshToken === used.refreshToken
    return same ? row : undefined
  }
  const put = (row: Row, connection: Connection) => {
    row.connection = connection
    return { ...connection }
  }

  return {
    async read(companyKey, now) {
      const row = live(companyKey, now)
      return row && { ...row.connection }
    },
    async begin(companyKey, { companyName, environment, now, expiresAt }) {
      const row = live(companyKey, now)
      if (row) {
        const { connection } = row
        const neverConnected = !connection.realmId && !holdsTokens(connection) && connection.generation === 0
        if (neverConnected) row.expiresAt = expiresAt
        return { ...connection }
      }
      const connection = createConnection({ companyKey, companyName, environment, createdAt: now, updatedAt: now })
      rows.set(companyKey, { connection, expiresAt })
      return { ...connection }
    },
    async connect(companyKey, consent) {
      const { companyName, environment, realmId, proof, isInvited, pair, at, writer } = consent
      const now = Math.floor(at / 1000)
      const row: Row = rows.get(companyKey) ?? { connection: createConnection({ companyKey }), expiresAt: undefined }
      rows.set(companyKey, row)
      const { connection } = row
      const keepsRealm = connection.realmId === undefined ? isInvited : connection.realmId === realmId
      const moves = !keepsRealm || connection.environment !== environment
      const lastChange = { at: changeTime(consent), by: writer }
      const isLate = connection.lastChange !== undefined && connection.lastChange.at >= lastChange.at
      if (isLate || (moves && holdsTokens(connection))) return { ...connection }
      row.expiresAt = undefined
      const createdAt = connection.createdAt ?? now
      return put(row, {
        ...withPair(row, pair, now, writer),
        companyName,
        environment,
        realmId,
        realmProvenAt: proof && now,
        createdAt,
        lastChange,
      })
    },
    async acquireLease(companyKey, { owner, now, until }) {
      const row = rows.get(companyKey)
      if (!row) return { outcome: 'not_found' }
      const { lease } = row.connection
      if (lease && lease.until >= now && lease.owner !== owner) {
        return { outcome: 'held', connection: { ...row.connection } }
      }
      return {
        outcome: 'acquired',
        isTakeover: lease !== undefined,
        connection: put(row, { ...row.connection, lease: { owner, until } }),
      }
    },
    async releaseLease(companyKey, owner, end) {
      const row = rows.get(companyKey)
      const lease = row?.connection.lease
      if (row && lease?.owner === owner) put(row, { ...row.connection, lease: leaseAfter(lease, end) })
    },
    async replace(used, { pair, rotated, now, writer }, end) {
      const current = rows.get(used.companyKey)
      if (current?.connection.writtenBy === writer) return { ...current.connection }
      const row = stillStored(used)
      if (!row) return undefined
      const { generation, lease } = row.connection
      if (!rotated && (generation !== used.generation || !isOwn(lease, writer, used))) return undefined
      const kept = rotated || !lease ? undefined : leaseAfter(lease, end)
      const refreshes = addToHistory(used.refreshes, rotated ? 'rotated' : 'kept', now)
      return put(row, { ...withPair(row, pair, now, writer), lease: kept, refreshes })
    },
    async fail(used, owner, failure: Failure, end, outcome) {
      const row = stillStored(used)
      const lease = row?.connection.lease
      if (row && lease && isOwn(lease, owner, used)) {
        const refreshes = addToHistory(used.refreshes, outcome, failure.at)
        put(row, { ...row.connection, failure, refreshes, lease: leaseAfter(lease, end) })
      }
    },
  }
}

/** A disconnection store in memory over the same records. */
export const createMemoryDisconnections = (rows: Rows): DisconnectionStore => {
  return {
    async erase(seen, { writer, at, tokenToRevoke }) {
      const row = rows.get(seen.companyKey)
      if (!row) return false
      const { connection } = row
      if (connection.lastChange?.by === writer) return true
      const isUnchanged =
        connection.generation === seen.generation &&
        connection.accessToken === seen.accessToken &&
        connection.refreshToken === seen.refreshToken
      if (!isUnchanged) return false
      const now = Math.floor(at / 1000)
      row.connection = {
        ...connection,
        ...{ accessToken: undefined, accessTokenExpiresAt: undefined, refreshToken: undefined },
        ...{ refreshTokenExpiresAt: undefined, refreshTokenHardExpiresAt: undefined, refreshTokenHash: undefined },
        ...{ lease: undefined, failure: undefined },
        ...{ generation: connection.generation + 1, updatedAt: now },
        disconnection: {
          ...{ at: now, revocation: 'pending', intuitTid: undefined },
          ...(tokenToRevoke === undefined ? {} : { token: tokenToRevoke }),
        },
        lastChange: { at: changeTime({ at, after: seen.lastChange }), by: writer },
      }
      return true
    },
    async settle(companyKey, { writer, revocation, intuitTid }) {
      const row = rows.get(companyKey)
      const disconnection = row?.connection.disconnection
      if (!row || !disconnection || row.connection.lastChange?.by !== writer) return false
      if (revocation !== 'confirmed' && disconnection.revocation !== 'pending') return false
      row.connection = { ...row.connection, disconnection: { at: disconnection.at, revocation, intuitTid } }
      return true
    },
  }
}
