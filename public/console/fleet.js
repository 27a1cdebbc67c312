import { createCard } from './card.js'
import { createConnectionList } from './connection-list.js'
import { createConnectionReader } from './connection-reader.js'
import { byId } from './dom.js'
import { session } from './session.js'
import { createStartLink } from './start-link.js'

/** @import { Api, Failed } from './api.js' */
/** @import { Connection } from './connection.js' */
/** @typedef {ReturnType<typeof import('./dialogs.js').createDialogs>} Dialogs */
/** @typedef {ReturnType<typeof createConnectionList>} ConnectionList */
/** @typedef {{ api: Api, dialogs: Dialogs, offersDisconnect: boolean, onUnauthorized(): void }} FleetDeps */

/**
 * What a person can do with a connection. The list passed here is the one on the page.
 * @param {FleetDeps} deps
 * @param {() => ConnectionList} list
 */
const createActions = ({ api, dialogs, onUnauthorized }, list) => {
  const read = createConnectionReader(api)

  /** @param {Failed} answer */
  const toErrorText = (answer) => {
    if (answer.status === 401) onUnauthorized()
    return answer.text
  }

  /** Reads a connection and shows it. Resolves with an error text, or `undefined`. @param {string} companyKey */
  const load = async (companyKey) => {
    const result = await read(companyKey)
    if ('ok' in result) return toErrorText(result)
    list().show(result)
    return undefined
  }

  /** Changes a connection, then shows its new state. @param {string} companyKey @param {() => ReturnType<Api['refresh' | 'disconnect']>} change @param {string} done */
  const apply = async (companyKey, change, done) => {
    const card = list().findCard(companyKey)
    card?.setMessage('Working…', false)
    const answer = await change()
    const error = await load(companyKey)
    if (!answer.ok) card?.setMessage(toErrorText(answer), true)
    else card?.setMessage(error ?? done, error !== undefined)
  }

  return {
    load,
    /** Reads connections and shows them in the given order. @param {string[]} companyKeys */
    loadAll: async (companyKeys) => {
      for (const result of await Promise.all(companyKeys.map(read))) {
        if ('ok' in result) toErrorText(result)
        else list().show(result)
      }
    },

    /** @param {string} companyKey @param {string} name @param {string} [newName] */
    showStartLink: async (companyKey, name, newName) => {
      const link = await createStartLink(api, companyKey, newName)
      if (link.ok) dialogs.showLink(name, link.url, link.expiresAt)
      else list().findCard(companyKey)?.setMessage(toErrorText(link), true)
    },

    /** @param {string} companyKey */
    refresh: (companyKey) => apply(companyKey, () => api.refresh(companyKey), 'Refreshed just now.'),

    /** @param {string} companyKey */
    disconnect: async (companyKey) => {
      if (!(await dialogs.confirmDisconnect(list().findName(companyKey)))) return
      await apply(companyKey, () => api.disconnect(companyKey), 'Disconnected.')
    },

    /** Removes a connection from this tab. @param {string} companyKey */
    remove: async (companyKey) => {
      list().remove(companyKey)
      session.removeLookedUp(companyKey)
      byId('look-up-key', HTMLInputElement).focus()
    },
  }
}

/**
 * The connections on the page, and what a person can do with each.
 * @param {FleetDeps} deps
 */
export const createFleet = (deps) => {
  const actions = createActions(deps, () => list)
  const list = createConnectionList((companyKey) =>
    createCard(
      {
        link: () => actions.showStartLink(companyKey, list.findName(companyKey)),
        refresh: () => actions.refresh(companyKey),
        disconnect: () => actions.disconnect(companyKey),
        ...(list.isListed() ? {} : { remove: () => actions.remove(companyKey) }),
      },
      deps.offersDisconnect,
    ),
  )

  return {
    /** Shows a connection by its key, and again after a reload of this tab. Resolves with an error text, or `undefined`. @param {string} companyKey */
    lookUp: async (companyKey) => {
      const error = await actions.load(companyKey)
      if (error === undefined && !list.isListed()) session.addLookedUp(companyKey)
      return error
    },
    /** Creates the start link of a key that may be new. @param {string} companyKey @param {string} companyName */
    linkNew: (companyKey, companyName) => actions.showStartLink(companyKey, companyName || companyKey, companyName),
    /** Shows a page of the deployment's list. @param {Connection[]} connections */
    showListed: (connections) => {
      list.setListed()
      connections.forEach(list.show)
      list.updateSummary()
    },
    /** Shows the connections that were looked up in this tab, in that order. */
    showLookedUp: async () => {
      list.updateSummary()
      await actions.loadAll(session.lookedUp())
    },
  }
}
