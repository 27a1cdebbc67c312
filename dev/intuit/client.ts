/** Allow for one of the companies offered (the first if none is named), or deny. */
export type Choice = { realmId?: string } | 'deny'

const attributeOf = (tag: string, name: string) => new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1] ?? ''

/**
 * Does what a person does in the browser: opens the consent page, chooses and submits. Returns the URL that the browser
 * is sent to. Throws where there is no consent page, or no redirect.
 */
export const consent = async (authorizationUrl: string, choice: Choice): Promise<string> => {
  const page = await fetch(authorizationUrl, { redirect: 'manual' })
  const body = await page.text()
  if (page.status !== 200) throw new Error(`The authorization endpoint answered ${page.status} and no consent page.`)
  const inputs = body.match(/<input[^>]*>/g) ?? []
  const offered = inputs.find((tag) => attributeOf(tag, 'name') === 'realm_id') ?? ''
  const form = new URLSearchParams({
    request: attributeOf(inputs.find((tag) => attributeOf(tag, 'name') === 'request') ?? '', 'value'),
    decision: choice === 'deny' ? 'deny' : 'allow',
    realm_id: choice === 'deny' ? '' : (choice.realmId ?? attributeOf(offered, 'value')),
  })
  const action = new URL(attributeOf(/<form[^>]*>/.exec(body)?.[0] ?? '', 'action'), authorizationUrl)
  const answer = await fetch(action, { method: 'POST', body: form, redirect: 'manual' })
  const location = answer.headers.get('Location')
  if (!location) throw new Error(`The decision was answered with ${answer.status} and no redirect.`)
  return location
}
