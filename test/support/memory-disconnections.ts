import { type Connection, changeTime } from '../../src/broker/connection.ts'
import type { DisconnectionStore } from '../../src/broker/ports/storage.ts'

type Rows = Map<string, { connection: Connection }>

/** The end of connections in memory, over the rows of `memoryConnections`. */
export const memoryDisconnections = (rows: Rows): DisconnectionStore => {
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
        ...{
          refreshTokenExpiresAt: undefined,
          refreshTokenHardExpiresAt: undefined,
          refreshTokenHash: undefined,
          lease: undefined,
          failure: undefined,
        },
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
