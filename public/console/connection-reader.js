import { isNotOffered } from './api.js'

/** @import { Api, Failed } from './api.js' */
/** @import { Connection } from './connection.js' */

/** Picks what the status route adds to the metadata. @param {Partial<Connection>} body */
const pickStatus = ({ status, refresh_token_hard_expires_at, last_error, disconnection }) => ({
  ...(status === undefined ? {} : { status }),
  ...(refresh_token_hard_expires_at === undefined ? {} : { refresh_token_hard_expires_at }),
  ...(last_error === undefined ? {} : { last_error }),
  ...(disconnection === undefined ? {} : { disconnection }),
})

/**
 * Creates a function that reads a connection with its status, if the deployment offers the status route. It resolves
 * with the connection or with the failed response.
 * @param {Api} api
 */
export const createConnectionReader = (api) => {
  let offersStatus = true

  /** @param {string} companyKey */
  const readStatus = async (companyKey) => {
    if (!offersStatus) return {}
    const answer = await api.status(companyKey)
    if (answer.ok) return pickStatus(answer.body)
    if (isNotOffered(answer)) offersStatus = false
    return {}
  }

  /** @param {string} companyKey @returns {Promise<Connection | Failed>} */
  return async (companyKey) => {
    const [metadata, status] = await Promise.all([api.connection(companyKey), readStatus(companyKey)])
    return metadata.ok ? { ...metadata.body, ...status } : metadata
  }
}
