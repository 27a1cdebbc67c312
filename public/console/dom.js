/**
 * Finds an element of the page. Throws if the page has no such element.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export const byId = (id, type) => {
  const element = document.getElementById(id)
  if (element instanceof type) return element
  throw new Error(`The page has no ${id}.`)
}

/**
 * Creates an element. Strings become text nodes, never markup.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {...(Node | string)} children
 */
export const element = (tag, className, ...children) => {
  const made = document.createElement(tag)
  if (className) made.className = className
  made.append(...children)
  return made
}

/**
 * Runs `work` for each press of a button, but not twice at a time. The button stays focusable in the meantime, so that the
 * keyboard focus stays.
 * @param {HTMLButtonElement} button
 * @param {() => Promise<void>} work
 */
export const onPress = (button, work) =>
  button.addEventListener('click', async () => {
    if (button.ariaDisabled === 'true') return
    button.ariaDisabled = 'true'
    await work().finally(() => {
      button.ariaDisabled = null
    })
  })
