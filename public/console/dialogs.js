import { byId } from './dom.js'
import { createTimeElement } from './time.js'

/** @param {string} id */
const findDialog = (id) => {
  const element = byId(id, HTMLDialogElement)
  for (const close of element.querySelectorAll('[data-close]')) close.addEventListener('click', () => element.close())
  return element
}

/** The dialogs of the page. */
export const createDialogs = () => {
  const [newDialog, linkDialog, disconnectDialog] = [
    findDialog('new-dialog'),
    findDialog('link-dialog'),
    findDialog('disconnect-dialog'),
  ]
  const [link, linkMessage] = [byId('link', HTMLInputElement), byId('link-message', HTMLElement)]

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link.value)
      linkMessage.textContent = 'Copied.'
    } catch {
      link.select()
      linkMessage.textContent = 'The link is selected. Copy it with your keyboard.'
    }
  }
  byId('copy-link', HTMLButtonElement).addEventListener('click', () => void copy())
  byId('disconnect', HTMLButtonElement).addEventListener('click', () => disconnectDialog.close('disconnect'))

  return {
    /** @param {string} name @param {string} url @param {number | undefined} expiresAt */
    showLink: (name, url, expiresAt) => {
      byId('link-title', HTMLElement).textContent = `Connect ${name}`
      link.value = url
      linkMessage.textContent = ''
      const note = byId('link-note', HTMLElement)
      if (expiresAt === undefined) note.textContent = 'It does not expire.'
      else note.replaceChildren('It expires ', createTimeElement(expiresAt, 'relative'), '.')
      linkDialog.showModal()
      byId('copy-link', HTMLButtonElement).focus()
    },

    /** Asks the person to confirm. @param {string} name @returns {Promise<boolean>} */
    confirmDisconnect: (name) => {
      byId('disconnect-title', HTMLElement).textContent = `Disconnect ${name}?`
      disconnectDialog.returnValue = ''
      disconnectDialog.showModal()
      return new Promise((resolve) => {
        disconnectDialog.addEventListener('close', () => resolve(disconnectDialog.returnValue === 'disconnect'), {
          once: true,
        })
      })
    },

    /** @param {(companyKey: string, companyName: string) => void} then */
    askForNew: (then) => {
      const form = byId('new-form', HTMLFormElement)
      form.reset()
      form.onsubmit = () =>
        then(byId('new-key', HTMLInputElement).value, byId('new-name', HTMLInputElement).value.trim())
      newDialog.showModal()
    },
  }
}
